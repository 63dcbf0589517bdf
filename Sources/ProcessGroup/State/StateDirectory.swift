import Glibc
internal import GroupSPI
internal import Logging

/// The folder in which the plugin keeps what it must find again: `instances/ID.json`, `logs/GROUP/ID.log`, `lock`.
///
/// One plugin at a time: two that share the folder would each restart what the other stops.
final class StateDirectory: Sendable {
    /// How many logs of instances that are no more are kept per group.
    static let keptLogs = 20

    let path: String
    private let maximumLogSize: Int
    private let lock: FileLock

    init(path: String, maximumLogSize: Int) throws(SystemError) {
        self.path = path
        self.maximumLogSize = maximumLogSize
        try File.makeDirectory("\(path)/instances")
        try File.makeDirectory("\(path)/logs")
        lock = try FileLock("\(path)/lock")
    }

    /// Lets another plugin use the folder.
    func close() { lock.release() }

    // MARK: - Records

    func save(_ record: InstanceRecord) throws(SystemError) {
        try File.replace(recordPath(record.id), with: record.json.bytes)
    }

    func remove(_ record: InstanceRecord) { unlink(recordPath(record.id)) }

    /// Every record that can be read. What cannot is left where it is, for a person to look at, and logged.
    func records(logger: Logger) -> [InstanceRecord] {
        let folder = "\(path)/instances"
        return File.names(in: folder).compactMap { name in
            if name.hasSuffix(".new") {
                unlink("\(folder)/\(name)")
                return nil
            }
            guard name.hasSuffix(".json") else { return nil }
            guard let record = File.read("\(folder)/\(name)").flatMap({ InstanceRecord($0) }),
                recordPath(record.id) == "\(folder)/\(name)"
            else {
                logger.warning(
                    "Skipped an instance record that cannot be read",
                    metadata: ["file": "\(folder)/\(name)"]
                )
                return nil
            }
            return record
        }
    }

    private func recordPath(_ id: String) -> String { "\(path)/instances/\(File.safeName(id)).json" }

    // MARK: - Logs

    func logPath(group: String, instance: String) -> String {
        "\(logFolder(group))/\(File.safeName(instance)).log"
    }

    /// Makes the log ready for another start: a large one becomes `.log.old`, in place of the one before.
    func prepareLog(group: String, instance: String) throws(SystemError) {
        try File.makeDirectory(logFolder(group))
        let path = logPath(group: group, instance: instance)
        var status = stat()
        guard stat(path, &status) == 0, Int(status.st_size) >= maximumLogSize else { return }
        guard rename(path, path + ".old") == 0 else { throw SystemError("rename", path) }
    }

    /// Removes the oldest logs of instances that are no more.
    func pruneLogs(group: String, keeping instances: some Sequence<String>) {
        let folder = logFolder(group)
        let kept = Set(instances.map { "\(File.safeName($0)).log" })
        var ended: [(changed: Int, name: String)] = []
        for name in File.names(in: folder) where name.hasSuffix(".log") && !kept.contains(name) {
            var status = stat()
            if stat("\(folder)/\(name)", &status) == 0 { ended.append((status.st_mtim.tv_sec, name)) }
        }
        for (_, name) in ended.sorted(by: { $0 < $1 }).dropLast(Self.keptLogs) {
            unlink("\(folder)/\(name)")
            unlink("\(folder)/\(name).old")
        }
    }

    /// Removes all logs of a group that was destroyed.
    func removeLogs(group: String) {
        let folder = logFolder(group)
        for name in File.names(in: folder) { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    private func logFolder(_ group: String) -> String { "\(path)/logs/\(File.safeName(group))" }
}
