import GroupSPI
import Logging
import Platform
import Testing

@testable import ProcessGroup

/// What is written about an instance is read again, and what is no record is not.
struct InstanceRecordTests {
    private var record: InstanceRecord {
        var record = InstanceRecord(id: "instance-1", group: "a/b \"c\"", logicalID: "x", configSHA: "00ff")
        record.process = ProcessInstance(pid: 77, startTime: .max, bootID: "boot pid:[4026531836]")
        record.isDoomed = true
        return record
    }

    @Test func survivesTheFile() {
        #expect(InstanceRecord(record.json.bytes) == record)
        let plain = InstanceRecord(id: "i", group: "", logicalID: nil, configSHA: "")
        #expect(InstanceRecord(plain.json.bytes) == plain)
    }

    @Test func noPartOfARecordIsARecord() {
        let bytes = record.json.bytes
        for length in 0..<bytes.count {
            #expect(InstanceRecord(Array(bytes.prefix(length))) == nil)
        }
    }

    @Test(arguments: [
        "", "null", "[]", "{}", "\u{0}\u{0}\u{0}",
        #"{"Version":2,"ID":"i","Group":"g","ConfigSHA":""}"#,
        #"{"Version":1,"ID":"","Group":"g","ConfigSHA":""}"#,
        #"{"Version":1,"ID":"i","Group":"g","ConfigSHA":"","PID":1,"StartTime":"1","BootID":"b"}"#,
        #"{"Version":1,"ID":"i","Group":"g","ConfigSHA":"","PID":-5,"StartTime":"1","BootID":"b"}"#,
        #"{"Version":1,"ID":"i","Group":"g","ConfigSHA":"","PID":99999999999,"StartTime":"1","BootID":"b"}"#,
        #"{"Version":1,"ID":"i","Group":"g","ConfigSHA":"","PID":5,"BootID":"b"}"#,
    ])
    func garbageIsNoRecord(text: String) {
        #expect(InstanceRecord(Array(text.utf8)) == nil)
    }

    @Test func folderOfGarbageGivesWhatIsSound() async throws {
        try await PluginHarness.with { harness in
            let directory = try StateDirectory(path: harness.state, maximumLogSize: 1000)
            try directory.save(record)
            try directory.save(InstanceRecord(id: "instance-2", group: "other", logicalID: nil, configSHA: ""))
            let folder = "\(harness.state)/instances/\(File.safeName(record.group))"
            try File.replace("\(folder)/half.json", with: Array(record.json.bytes.prefix(40)))
            try File.replace("\(folder)/other-name.json", with: record.json.bytes)
            try File.replace("\(folder)/instance-2.json.new", with: record.json.bytes)
            try File.makeDirectory("\(folder)/folder.json")
            #expect(directory.groupsWithDoomed() == [record.group])
            #expect(File.names(in: folder).contains("instance-2.json.new"))
            let logger = Logger(label: "test", factory: { _ in harness.log })
            #expect(try directory.records(group: record.group, logger: logger) == [record])
            #expect(harness.log.count("skipped an instance record that cannot be read") == 3)
            #expect(!File.names(in: folder).contains { $0.hasSuffix(".new") })
        }
    }

    @Test(arguments: [
        ("web", "web"), ("a.b-c_D9", "a.b-c_D9"), ("..", "%2E."), (".hidden", "%2Ehidden"), ("a/b", "a%2Fb"),
        ("", ""), ("é", "%C3%A9"), ("a%b", "a%25b"), ("\n", "%0A"),
    ])
    func safeNames(text: Identifier, expected: String) {
        #expect(File.safeName(text) == expected)
    }

    @Test func longNamesStayApart() {
        let one = File.safeName("\(String(repeating: "x", count: 5000))1")
        let two = File.safeName("\(String(repeating: "x", count: 5000))2")
        #expect(one != two)
        #expect(one.utf8.count < 200)
    }

    @Test func unusableFolderIsNamed() {
        let logger = Logger(label: "test", factory: { _ in RecordingLog() })
        let error = #expect(throws: ProcessGroupError.self) {
            try ProcessGroupPlugin(stateDirectory: "/proc/no/such", logger: logger)
        }
        #expect(error?.code == .stateDirectoryUnusable)
        #expect(error?.message.contains("/proc/no") == true)
    }
}
