import Glibc
import Platform
import Testing

struct ProcessTableTests {
    @Test(arguments: ["sleep", "a b", "a) S 9 9 9 (b", ")", "(", ""])
    func readsPastAnyProgramName(name: String) throws {
        let fields = (7...21).map(String.init).joined(separator: " ")
        let line = "42 (\(name)) S 1 40 41 \(fields) 12345 99 99\n"
        let entry = try #require(ProcessTable.Entry(Array(line.utf8)))
        #expect(entry.pid == 42)
        #expect(entry.processGroup == 40)
        #expect(entry.session == 41)
        #expect(entry.startTime == 12345)
        #expect(entry.isAlive)
    }

    @Test(arguments: ["", "42", "42 (sleep", "42 (sleep) S", "42 (sleep) S 1 2 3", ") 1 ("])
    func refusesWhatIsNoLine(line: String) {
        #expect(ProcessTable.Entry(Array(line.utf8)) == nil)
    }

    @Test func knowsThisProcess() throws {
        let identity = try #require(ProcessTable.identity(getpid()))
        #expect(ProcessTable.isAlive(identity))
        #expect(!identity.bootID.isEmpty)
    }

    @Test func sameNumberIsNotEnough() throws {
        let own = try #require(ProcessTable.identity(getpid()))
        let older = ProcessInstance(pid: own.pid, startTime: own.startTime - 1, bootID: own.bootID)
        let otherBoot = ProcessInstance(pid: own.pid, startTime: own.startTime, bootID: "before")
        #expect(!ProcessTable.isAlive(older))
        #expect(!ProcessTable.isAlive(otherBoot))
    }

    /// Want of descriptors, for instance: another process would be started in its place.
    @Test func whatCannotBeReadIsNotDead() throws {
        let own = try #require(ProcessTable.identity(getpid()))
        #expect(ProcessTable.isAlive(own, entry: { _ in nil }))
        let nobody = ProcessInstance(pid: Int32.max, startTime: 1, bootID: own.bootID)
        #expect(!ProcessTable.isAlive(nobody, entry: { _ in nil }))
    }

    @Test func aDirectoryThatCannotBeReadIsNotEmpty() throws {
        #expect(throws: SystemError.self) { try File.listing(of: "/proc/self/stat") }
        #expect(try File.listing(of: "/proc/no such directory") == [])
    }

    @Test func nobodyHasAnImpossibleNumber() {
        #expect(ProcessTable.identity(Int32.max) == nil)
        #expect(!ProcessTable.hasLivingMember(processGroup: Int32.max))
    }
}
