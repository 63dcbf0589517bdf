import GroupSPI
import Store
import Testing

@testable import Manager

/// Two replicas with one id: people could not tell them apart.
struct NamesakeTests {
    private static let own = Replica.candidate("one")
    private static let start = BootInstant(nanoseconds: 1_000_000_000_000)

    private static func lease(_ sequence: Int, of instance: String, holder: Identifier = "one", epoch: Int = 3) -> Lease
    {
        Lease(
            holder: holder,
            instance: instance,
            epoch: epoch,
            sequence: sequence,
            ttl: 9000,
            // By a clock that is years ahead, or behind: it does not matter.
            acquiredAt: 0,
            renewedAt: .max / 2,
            expiresAt: .max / 2,
            process: ProcessIdentity(host: "elsewhere", bootID: "b", pidNamespace: "1", pid: 12, startTime: 1),
            socket: "",
            pluginSocket: "",
            guardLock: ""
        )
    }

    private func at(_ seconds: Int) -> BootInstant { Self.start + .seconds(seconds) }

    @Test func aRowThatMovesHasAHolderThatLives() {
        var namesake = Namesake(Self.own)
        func look(_ sequence: Int, _ seconds: Int, isRunning: Bool? = nil) -> String? {
            namesake.observed(
                Self.lease(sequence, of: "other"),
                isRunning: isRunning,
                startedAt: at(seconds),
                now: at(seconds)
            )
        }
        // It may be that of an earlier start of this very replica, on a host that has crashed.
        #expect(look(7, 0) == nil)
        #expect(look(7, 5) == nil)
        let refusal = look(8, 6)
        #expect(refusal?.contains("another replica with the id 'one' leads: process 12 on elsewhere") == true)
        #expect(look(8, 14) != nil)
        // From then on it may be taken over.
        #expect(look(8, 15) == nil)
        #expect(look(9, 16) != nil)
        // Its process is seen to have ended.
        #expect(look(9, 17, isRunning: false) == nil)
        // One that is seen to run lives, also when it stands still.
        #expect(look(9, 18, isRunning: true) != nil)
        #expect(look(9, 60, isRunning: true) != nil)
    }

    @Test func othersAreNone() {
        for lease in [
            Self.lease(1, of: Self.own.instance), Self.lease(1, of: "other", holder: "two"), .nobody(since: 3),
        ] {
            var namesake = Namesake(Self.own)
            for second in 0..<5 {
                let seen = lease.seen(at: second, sequence: second)
                #expect(namesake.observed(seen, isRunning: nil, startedAt: at(second), now: at(second)) == nil)
            }
        }
        // A restart between two looks is no movement of one of them.
        var namesake = Namesake(Self.own)
        #expect(namesake.observed(Self.lease(1, of: "a"), isRunning: nil, startedAt: at(0), now: at(0)) == nil)
        let next = Self.lease(2, of: "b", epoch: 4)
        #expect(namesake.observed(next, isRunning: nil, startedAt: at(1), now: at(1)) == nil)
    }

    /// It follows while the other lives, and says why; when that has gone it leads.
    @Test func aReplicaDoesNotLeadBesideItsNamesake() async throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        let other = Candidate(
            id: Self.own.id,
            instance: "another",
            process: ProcessIdentity(host: "there", bootID: "there", pidNamespace: "1", pid: 7, startTime: 7),
            socket: "",
            pluginSocket: "",
            guardLock: ""
        )
        store.seize(by: other, ttl: 9000)
        let replica = try Replica(store: store, plugin: FakePlugin(clock: clock))
        try await withReplicas(replica) {
            try await eventually("it says why it does not lead", on: clock) {
                store.seize(by: other, ttl: 9000)
                return replica.standing.reason.contains("another replica with the id 'one' leads: process 7 on there")
            }
            try await eventually("it leads when the other does not live any more", on: clock) {
                replica.standing.role == .leader
            }
        }
    }
}

struct ReplicaIDTests {
    @Test(arguments: ["a", "host/group", "höst 1", String(repeating: "x", count: 255)])
    func isOneLine(_ text: String) { #expect(ReplicaID(Identifier(text))?.name.text == text) }

    @Test(arguments: ["", " ", "\n", "a\nb", "a ", "\ta", "a\u{0}", "a\u{2028}b", "a\u{202E}b", "a\u{1B}[31m"])
    func isNeverEmptyAndNeverMore(_ text: String) { #expect(ReplicaID(Identifier(text)) == nil) }

    @Test func isNotTooLong() { #expect(ReplicaID(Identifier(String(repeating: "x", count: 256))) == nil) }
}
