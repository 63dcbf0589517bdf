internal import GroupSPI
internal import Platform

/// What is kept on disk about one instance, so that the plugin finds its process again after its own restart.
struct InstanceRecord: Hashable, Sendable {
    let id: Identifier
    let group: Identifier
    let logicalID: Identifier?
    let configSHA: String
    /// Nil in the moment between the decision to start it and the start.
    var process: ProcessInstance?
    /// It was asked to end for good: whoever finds it running after a crash carries that through.
    var isDoomed = false

    init(id: Identifier, group: Identifier, logicalID: Identifier?, configSHA: String) {
        self.id = id
        self.group = group
        self.logicalID = logicalID
        self.configSHA = configSHA
    }
}

extension InstanceRecord {
    var json: JSON {
        [
            "Version": 1,
            "ID": .string(id),
            "Group": .string(group),
            "LogicalID": .string(logicalID),
            "ConfigSHA": .string(configSHA),
            "PID": .int(process.map { Int($0.pid) }),
            "StartTime": .string(process.map { String($0.startTime) }),
            "BootID": .string(process?.bootID),
            "Doomed": .bool(isDoomed),
        ]
    }

    /// Reads a record; nil when it is none, or one of a later version, or half of one.
    init?(_ content: [UInt8]) {
        guard let view = try? JSONView(content), view.member("Version")?.int == 1,
            let id = view.member("ID")?.identifier, !id.isEmpty,
            let group = view.member("Group")?.identifier,
            let configSHA = view.member("ConfigSHA")?.string
        else { return nil }
        self.init(id: id, group: group, logicalID: view.member("LogicalID")?.identifier, configSHA: configSHA)
        isDoomed = view.member("Doomed")?.bool ?? false
        guard let number = view.member("PID"), !number.isNull else { return }
        guard let pid = number.int.flatMap(Int32.init(exactly:)), pid > 1,
            let startTime = view.member("StartTime")?.string.flatMap({ UInt64($0) }),
            let bootID = view.member("BootID")?.string
        else { return nil }
        process = ProcessInstance(pid: pid, startTime: startTime, bootID: bootID)
    }
}
