import Glibc
internal import GroupSPI
internal import Logging
internal import Platform

/// The folder in which plugins keep what they must find again: `instances/GROUP/ID.json`, `logs/GROUP/ID.log`, and
/// `locks/GROUP.lock`.
///
/// Several plugins of one host may share it. Each group belongs to one of them at a time: two would each restart what
/// the other stops. Whoever holds the group's lock, and nobody else, changes anything of that group here.
///
/// Nothing below the folder is reached through a symbolic link: the numbers given for `own` count the parts below it.
struct StateDirectory: Sendable {
    /// How many logs of instances that are no more are kept per group.
    static let keptLogs = 20

    let path: String
    private let maximumLogSize: Int

    /// - Parameter maximumLogSize: see ``ProcessGroupOptions/maximumLogSize``.
    init(path: String, maximumLogSize: Int) throws(SystemError) {
        self.path = path
        self.maximumLogSize = maximumLogSize
        for folder in ["instances", "locks", "logs"] { try File.makeDirectory("\(path)/\(folder)", own: 1) }
    }

    /// Tries once to make the group this plugin's own.
    ///
    /// - Returns: nil when another plugin has it.
    func lock(group: Identifier) throws(SystemError) -> FileLock? {
        try FileLock.attempt("\(path)/locks/\(File.safeName(group)).lock", own: 2)
    }

    // MARK: - Records

    func save(_ record: InstanceRecord) throws(SystemError) {
        try File.makeDirectory(recordFolder(record.group), own: 2)
        try File.replace(recordPath(record), own: 3, with: record.json.bytes)
    }

    func remove(_ record: InstanceRecord) { File.unlink(recordPath(record), own: 3) }

    /// Every record of the group. A file that holds none is left where it is, for a person to look at, and logged.
    ///
    /// - Throws: ``SystemError`` when they cannot be read: what they tell of may run all the same.
    func records(group: Identifier, logger: Logger) throws(SystemError) -> [InstanceRecord] {
        let folder = recordFolder(group)
        var records: [InstanceRecord] = []
        for name in try File.listing(of: folder, own: 2) {
            let path = "\(folder)/\(name)"
            if name.hasSuffix(".new") { File.unlink(path, own: 3) }
            guard name.hasSuffix(".json") else { continue }
            errno = 0
            let bytes = File.read(path, own: 3)
            // Gone meanwhile, or no file at all.
            if bytes == nil, errno == ENOENT { continue }
            guard bytes != nil || [EISDIR, ELOOP, ENXIO].contains(errno) else { throw SystemError("read", path) }
            guard let record = bytes.flatMap({ record($0, at: path) }), record.group == group else {
                logger.warning("skipped an instance record that cannot be read", metadata: ["file": "\(path)"])
                continue
            }
            records.append(record)
        }
        return records
    }

    /// The groups in which something was told to end and is not known to have ended. Reads without a lock: what it
    /// finds has to be looked at again under the group's.
    func groupsWithDoomed() -> Set<Identifier> {
        var groups: Set<Identifier> = []
        for folder in File.names(in: "\(path)/instances", own: 1).map({ "\(path)/instances/\($0)" }) {
            let records = File.names(in: folder, own: 2).lazy.filter { $0.hasSuffix(".json") }
                .compactMap { record("\(folder)/\($0)") }
            if let doomed = records.first(where: \.isDoomed) { groups.insert(doomed.group) }
        }
        return groups
    }

    /// Removes the folder of a group that has no records.
    func tidyRecords(group: Identifier) { File.removeDirectory(recordFolder(group), own: 2) }

    private func record(_ path: String) -> InstanceRecord? {
        File.read(path, own: 3).flatMap { record($0, at: path) }
    }

    private func record(_ bytes: [UInt8], at path: String) -> InstanceRecord? {
        InstanceRecord(bytes).flatMap { recordPath($0) == path ? $0 : nil }
    }

    private func recordPath(_ record: InstanceRecord) -> String {
        "\(recordFolder(record.group))/\(File.safeName(record.id)).json"
    }

    private func recordFolder(_ group: Identifier) -> String { "\(path)/instances/\(File.safeName(group))" }

    // MARK: - Logs

    func logPath(group: Identifier, instance: Identifier) -> String {
        "\(logFolder(group))/\(File.safeName(instance)).log"
    }

    /// Makes the log ready for another start: a large one becomes `.log.old`, in place of the one before.
    ///
    /// At a start only: a process writes into its log by itself, and what runs for long and writes much fills the disk.
    func prepareLog(group: Identifier, instance: Identifier) throws(SystemError) {
        try File.makeDirectory(logFolder(group), own: 2)
        let path = logPath(group: group, instance: instance)
        guard let status = File.status(path, own: 3), Int(status.st_size) >= maximumLogSize else { return }
        try File.setAside(path, own: 3)
    }

    /// Opens the log, to write at its end.
    func openLog(group: Identifier, instance: Identifier) throws(SystemError) -> Int32 {
        try File.open(logPath(group: group, instance: instance), own: 3, O_WRONLY | O_CREAT | O_APPEND)
    }

    /// Removes the oldest logs of instances that are no more.
    func pruneLogs(group: Identifier, keeping instances: some Sequence<Identifier>) {
        let folder = logFolder(group)
        let kept = Set(instances.map { "\(File.safeName($0)).log" })
        var ended: [(changed: Int, name: String)] = []
        for name in File.names(in: folder, own: 2) where name.hasSuffix(".log") && !kept.contains(name) {
            if let status = File.status("\(folder)/\(name)", own: 3) { ended.append((status.st_mtim.tv_sec, name)) }
        }
        for (_, name) in ended.sorted(by: { $0 < $1 }).dropLast(Self.keptLogs) {
            File.unlink("\(folder)/\(name)", own: 3)
            File.unlink("\(folder)/\(name).old", own: 3)
        }
    }

    /// Removes all logs of a group that was destroyed.
    func removeLogs(group: Identifier) {
        let folder = logFolder(group)
        for name in File.names(in: folder, own: 2) { File.unlink("\(folder)/\(name)", own: 3) }
        File.removeDirectory(folder, own: 2)
    }

    private func logFolder(_ group: Identifier) -> String { "\(path)/logs/\(File.safeName(group))" }
}
