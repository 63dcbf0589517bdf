import Glibc

/// What `/proc` says about the processes of this host.
package enum ProcessTable {
    /// One line of `/proc/PID/stat`, as far as it matters here.
    package struct Entry: Hashable, Sendable {
        package let pid: Int32
        package let state: UInt8
        package let parent: Int32
        package let processGroup: Int32
        package let session: Int32
        package let startTime: UInt64

        /// Reads the line. The second field, the program's name, is in parentheses and may itself hold parentheses and
        /// spaces; the last closing one ends it.
        package init?(_ line: [UInt8]) {
            guard let open = line.firstIndex(of: UInt8(ascii: "(")), let end = line.lastIndex(of: UInt8(ascii: ")")),
                open < end
            else { return nil }
            let fields = line[(end + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
            func field<Number: FixedWidthInteger>(_ number: Int) -> Number? {
                // Fields are counted from one, and two of them are before the parenthesis.
                fields.count > number - 3 ? Number(String(decoding: fields[number - 3], as: UTF8.self)) : nil
            }
            guard let pid = Int32(String(decoding: line[..<open], as: UTF8.self).filter { $0 != " " }),
                let state = fields.first?.first, let parent: Int32 = field(4),
                let processGroup: Int32 = field(5), let session: Int32 = field(6), let startTime: UInt64 = field(22)
            else { return nil }
            self.pid = pid
            self.state = state
            self.parent = parent
            self.processGroup = processGroup
            self.session = session
            self.startTime = startTime
        }

        /// False for what has ended and only waits to be collected by its parent.
        package var isAlive: Bool { state != UInt8(ascii: "Z") && state != UInt8(ascii: "X") }
    }

    /// The kernel's run and this process's pid namespace: in a container, the same number means another process.
    package static let bootID: String = {
        let boot = File.read("/proc/sys/kernel/random/boot_id") ?? []
        var buffer = [CChar](repeating: 0, count: 256)
        let length = readlink("/proc/self/ns/pid", &buffer, buffer.count)
        let namespace = buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
        return String(decoding: boot.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            + " " + String(decoding: namespace, as: UTF8.self)
    }()

    /// - Returns: nil when there is no such process, or its state cannot be read.
    package static func entry(_ pid: some BinaryInteger) -> Entry? {
        File.read("/proc/\(pid)/stat").flatMap { Entry($0) }
    }

    /// Who has the number now; nil when nobody does.
    package static func identity(_ pid: Int32) -> ProcessInstance? {
        entry(pid).map { ProcessInstance(pid: pid, startTime: $0.startTime, bootID: bootID) }
    }

    /// True when exactly this process still runs, or when that cannot be found out: only the kernel's word that there is
    /// none counts, not that its state cannot be read.
    package static func isAlive(
        _ identity: ProcessInstance,
        entry read: (Int32) -> Entry? = { entry($0) }
    ) -> Bool {
        guard identity.bootID == bootID, exists(identity.pid) else { return false }
        guard let entry = read(identity.pid) else { return exists(identity.pid) }
        return entry.startTime == identity.startTime && entry.isAlive
    }

    /// True when the process group still has a member that runs. The quick question to the kernel comes first; the
    /// walk through `/proc` tells those that run from those that only wait to be collected.
    package static func hasLivingMember(processGroup: Int32) -> Bool {
        guard exists(-processGroup) else { return false }
        do throws(SystemError) {
            let members = try entries().filter { $0.processGroup == processGroup }
            // The kernel knows some, and none could be read: they may run.
            return members.isEmpty ? exists(-processGroup) : members.contains(where: \.isAlive)
        } catch {
            return true
        }
    }

    /// - Parameter pid: of a process, or of a process group when negative.
    private static func exists(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno != ESRCH }

    /// The session leader whose environment holds `variable` (`NAME=value`): how a process is found whose number could
    /// not be written down, because the plugin ended right after it had started it.
    ///
    /// - Throws: ``SystemError`` when the processes cannot be listed.
    package static func sessionLeader(withEnvironment variable: String) throws(SystemError) -> ProcessInstance? {
        let wanted = Array(variable.utf8)
        for entry in try entries() where entry.pid == entry.session && entry.isAlive {
            let environment = File.read("/proc/\(entry.pid)/environ") ?? []
            if environment.split(separator: 0).contains(where: { $0.elementsEqual(wanted) }) {
                return ProcessInstance(pid: entry.pid, startTime: entry.startTime, bootID: bootID)
            }
        }
        return nil
    }

    private static func entries() throws(SystemError) -> some Sequence<Entry> {
        try File.listing(of: "/proc").lazy.compactMap { Int32($0) }.compactMap { entry($0) }
    }
}
