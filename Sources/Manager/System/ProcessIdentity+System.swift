internal import Glibc
internal import GroupSPI
internal import Platform
public import Store

extension ProcessIdentity {
    /// This process.
    public static func current() -> ProcessIdentity {
        let pid = Int(getpid())
        return ProcessIdentity(
            host: hostName,
            bootID: File.firstLine("/proc/sys/kernel/random/boot_id"),
            pidNamespace: namespace(),
            pid: pid,
            startTime: ProcessTable.entry(pid).map { Int($0.startTime) } ?? 0
        )
    }

    private static var hostName: Identifier {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return Identifier(String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// Of its numbers, and of its time: the kernel tells another time namespace another start time of the same process, which would
    /// look like another process.
    private static func namespace() -> String {
        guard let pids = namespace("pid") else { return "" }
        // Kernels before 5.6 have no namespaces of time.
        return namespace("time").map { "\(pids):\($0)" } ?? pids
    }

    private static func namespace(_ kind: String) -> String? {
        var status = stat()
        return stat("/proc/self/ns/\(kind)", &status) == 0 ? String(status.st_ino) : nil
    }

    /// True when `other` ran on this very boot and in these namespaces of pids and time, where its pid can be looked up.
    public func canSee(_ other: ProcessIdentity) -> Bool {
        !bootID.isEmpty && bootID == other.bootID && !pidNamespace.isEmpty && pidNamespace == other.pidNamespace
    }
}

/// Tells whether a lease's holder has ended, where this host can know: nobody has to wait out the ttl of a process that
/// is gone. Of other hosts it knows nothing.
public enum HolderProbe {
    /// Why the lease may be taken over without waiting for the ttl.
    public static func takeoverReason(_ lease: Lease, seenFrom here: ProcessIdentity) -> String? {
        guard lease.isHeld else { return "released" }
        return isGone(lease, seenFrom: here) ? "the process of \(lease.holder) has ended" : nil
    }

    /// Whether the holder's process runs; nil when that cannot be seen from here.
    public static func isRunning(_ lease: Lease, seenFrom here: ProcessIdentity) -> Bool? {
        here.canSee(lease.process) ? isRunning(lease.process) : nil
    }

    /// Why a replica must not start: another leads under its id, and runs where it can be seen from here.
    public static func namesake(_ lease: Lease, of candidate: Candidate) -> String? {
        guard lease.isHeld, lease.holder == candidate.id.name, isRunning(lease, seenFrom: candidate.process) == true
        else { return nil }
        return Namesake.refusal(lease)
    }

    /// Of a process that can be seen from here.
    ///
    /// Only the kernel's word that there is none counts: that its state cannot be read, for want of descriptors or because
    /// `/proc` is closed to this user, does not mean that it has ended.
    static func isRunning(
        _ process: ProcessIdentity,
        read: (Int32) -> ProcessTable.Entry? = { ProcessTable.entry($0) }
    ) -> Bool {
        guard let pid = pid_t(exactly: process.pid), pid > 0 else { return false }
        if kill(pid, 0) != 0, errno == ESRCH { return false }
        guard let found = read(pid) else {
            // It may have ended since.
            return !(kill(pid, 0) != 0 && errno == ESRCH)
        }
        return Int(found.startTime) == process.startTime && found.isAlive
    }

    public static func isGone(_ lease: Lease, seenFrom here: ProcessIdentity) -> Bool {
        guard lease.isHeld, here.canSee(lease.process), !isRunning(lease.process) else { return false }
        // A manager without a guard names no lock.
        guard !lease.guardLock.isEmpty else { return true }
        // The holder's guard lets its groups go; until it has, its plugin may still act.
        switch FileLock.holder(lease.guardLock) {
        case .nobody: return true
        case .process(nil): return false
        // A restarted manager has the same lock file as its predecessor. When its own guard holds the lock already, that
        // of the predecessor has finished.
        case .process(let pid?): return ProcessTable.entry(pid).map { Int($0.parent) } == here.pid
        }
    }
}
