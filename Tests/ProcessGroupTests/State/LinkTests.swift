import Glibc
import GroupSPI
import Logging
import Platform
import Testing

@testable import ProcessGroup

/// Somebody else may have put a link where the plugin keeps its files: what it leads to is neither written, read nor removed.
struct LinkTests {
    private let record = InstanceRecord(id: "instance-1", group: "cattle", logicalID: nil, configSHA: "00ff")

    /// A folder of somebody else's, with one file.
    private func withVictim(_ body: (PluginHarness, _ folder: String, _ file: String) async throws -> Void) async throws
    {
        try await PluginHarness.with { harness in
            let folder = "\(harness.folder)/victim"
            try File.makeDirectory(folder)
            try File.replace("\(folder)/instance-1.log", with: Array("precious".utf8))
            try await body(harness, folder, "\(folder)/instance-1.log")
            #expect(File.names(in: folder) == ["instance-1.log"])
            #expect(File.read("\(folder)/instance-1.log") == Array("precious".utf8))
        }
    }

    @Test(arguments: ["instances", "logs", "locks"])
    func aLinkInPlaceOfAFolderIsNoFolder(name: String) async throws {
        try await withVictim { harness, folder, _ in
            try File.makeDirectory(harness.state)
            #expect(symlink(folder, "\(harness.state)/\(name)") == 0)
            let error = #expect(throws: SystemError.self) {
                try StateDirectory(path: harness.state, maximumLogSize: 1000)
            }
            #expect(error?.code == ELOOP)
            #expect(error?.description.contains("symbolic link") == true)
        }
    }

    @Test func nothingOfAGroupIsReachedThroughALink() async throws {
        try await withVictim { harness, folder, _ in
            let directory = try StateDirectory(path: harness.state, maximumLogSize: 1)
            #expect(symlink(folder, "\(harness.state)/instances/cattle") == 0)
            #expect(symlink(folder, "\(harness.state)/logs/cattle") == 0)
            #expect(throws: SystemError.self) { try directory.save(record) }
            directory.remove(record)
            directory.tidyRecords(group: "cattle")
            #expect(throws: SystemError.self) { try directory.prepareLog(group: "cattle", instance: "instance-1") }
            #expect(throws: SystemError.self) { try directory.openLog(group: "cattle", instance: "instance-1") }
            directory.pruneLogs(group: "cattle", keeping: [])
            directory.removeLogs(group: "cattle")
            let logger = Logger(label: "test", factory: { _ in harness.log })
            #expect(throws: SystemError.self) { try directory.records(group: "cattle", logger: logger) }
        }
    }

    @Test func aFileIsNoLink() async throws {
        try await withVictim { harness, _, file in
            let directory = try StateDirectory(path: harness.state, maximumLogSize: 1000)
            try directory.save(record)
            let records = "\(harness.state)/instances/cattle"
            #expect(symlink(file, "\(records)/instance-1.json.new") == 0)
            try directory.save(record)
            #expect(symlink(file, "\(records)/instance-2.json") == 0)
            let logger = Logger(label: "test", factory: { _ in harness.log })
            #expect(try directory.records(group: "cattle", logger: logger) == [record])

            try directory.prepareLog(group: "cattle", instance: "instance-1")
            let log = directory.logPath(group: "cattle", instance: "instance-1")
            for make in [symlink, link] {
                #expect(make(file, log) == 0)
                #expect(throws: SystemError.self) { try directory.openLog(group: "cattle", instance: "instance-1") }
                unlink(log)
            }
            // A pipe would have the plugin wait for its reader.
            #expect(mkfifo(log, 0o600) == 0)
            #expect(throws: SystemError.self) { try directory.openLog(group: "cattle", instance: "instance-1") }
            #expect(symlink(file, "\(harness.state)/locks/cattle.lock") == 0)
            #expect(throws: SystemError.self) { try directory.lock(group: "cattle") }
        }
    }

    /// What the user names may lie behind links.
    @Test func theStateDirectoryItselfMayBeALink() async throws {
        try await PluginHarness.with { harness in
            try File.makeDirectory("\(harness.folder)/elsewhere")
            #expect(symlink("\(harness.folder)/elsewhere", harness.state) == 0)
            let directory = try StateDirectory(path: harness.state, maximumLogSize: 1000)
            try directory.save(record)
            let logger = Logger(label: "test", factory: { _ in harness.log })
            #expect(try directory.records(group: "cattle", logger: logger) == [record])
        }
    }
}
