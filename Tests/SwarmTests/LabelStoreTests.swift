import Replication
import Store
import Synchronization
import Testing

@testable import Swarm

@Suite("Compare and swap of a label")
struct LabelStoreTests {
    private static func settings(
        attempts: Int = 5,
        limit: Duration = .seconds(600),
        requestLimit: Duration = .seconds(600)
    ) -> SwapSettings {
        .init(requestLimit: requestLimit, attempts: attempts, limit: limit, pause: .milliseconds(1))
    }

    /// For what hangs: it costs a test this long, and nothing else may take as long, on whatever machine.
    private static let hanging = settings(requestLimit: .seconds(20))

    private static let noLeader = StubReply.answer(
        500,
        "{\"message\":\"rpc error: code = Unknown desc = The swarm does not have a leader.\"}"
    )

    /// - Returns: the error's code, or nil when it was written.
    private static func swap(
        _ swarm: StubSwarm,
        from old: String? = "old",
        to new: String = "new",
        settings: SwapSettings = settings(),
        clock: ReplicationClock = ReplicationClock(),
        while mayWrite: @escaping @Sendable () -> Bool = { true }
    ) async throws -> RegisterError? {
        try await withEngine(swarm.answer) { _, client -> RegisterError? in
            let store = LabelStore(client, settings: settings, clock: clock)
            do throws(RegisterError) {
                try await store.compareAndSwap(label: "infrakit", from: old, to: new, while: mayWrite)
                return nil
            } catch {
                return error
            }
        }
    }

    @Test func `The first label`() async throws {
        let swarm = try StubSwarm()
        let before = swarm.spec
        #expect(try await Self.swap(swarm, from: nil) == nil)
        #expect(swarm.spec == before.setting(label: "infrakit", to: "new"))
        #expect(swarm.writes == 1)
    }

    @Test func `The label that one began with`() async throws {
        let swarm = try StubSwarm(label: "old")
        #expect(try await Self.swap(swarm) == nil)
        #expect(swarm.label == "new" && swarm.writes == 1)
    }

    @Test(arguments: [(nil, "other"), ("old", "other"), ("old", nil)] as [(String?, String?)])
    func `Another label is a lost race, without a write`(_ old: String?, _ found: String?) async throws {
        let swarm = try StubSwarm(label: found)
        #expect(try await Self.swap(swarm, from: old)?.code == .lostRace)
        #expect(swarm.label == found && swarm.writes == 0)
    }

    @Test func `A label that is already the new one needs no write`() async throws {
        let swarm = try StubSwarm(label: "new")
        #expect(try await Self.swap(swarm) == nil)
        #expect(swarm.writes == 0)
    }

    @Test func `A version that rises by itself is tried again`() async throws {
        let swarm = try StubSwarm(label: "old", turns: [.versionRises, .versionRises])
        #expect(try await Self.swap(swarm) == nil)
        #expect(swarm.label == "new" && swarm.writes == 3)
    }

    /// Whoever changes the swarm in a loop leaves gaps of milliseconds: a write meets one as long as it goes on trying.
    @Test func `Others who change the swarm all the time do not keep a write out`() async throws {
        let swarm = try StubSwarm(label: "old", turns: Array(repeating: .versionRises, count: 60))
        #expect(try await Self.swap(swarm, settings: Self.settings(attempts: 3)) == nil)
        #expect(swarm.label == "new" && swarm.writes == 61)
    }

    @Test func `Not for ever: nothing was written, and nobody is said to have taken over`() async throws {
        let swarm = try StubSwarm(label: "old", turns: Array(repeating: .versionRises, count: 9))
        let late = try await Self.swap(swarm, settings: Self.settings(limit: .zero))
        #expect(late?.code == .contended && swarm.writes == 1)
        #expect(late?.message.contains("at each of 1 attempts") == true && late?.leavesOutcomeOpen == false)
        #expect(StoreError(try #require(late), isWrite: true).code == .busy)
        #expect(swarm.label == "old")
    }

    @Test func `Somebody else's label between reading and writing is a lost race`() async throws {
        let swarm = try StubSwarm(label: "old", turns: [.foreign("theirs")])
        #expect(try await Self.swap(swarm)?.code == .lostRace)
        #expect(swarm.label == "theirs" && swarm.writes == 1)
    }

    @Test(arguments: [StubSwarm.Turn.appliedThenHang, .appliedThenDrop])
    func `A write without an answer that took place`(_ turn: StubSwarm.Turn) async throws {
        let swarm = try StubSwarm(label: "old", turns: [turn])
        #expect(try await Self.swap(swarm, settings: Self.hanging) == nil)
        #expect(swarm.label == "new" && swarm.writes == 1)
    }

    @Test func `A write without an answer that did not take place is sent again`() async throws {
        let swarm = try StubSwarm(label: "old", turns: [.held])
        #expect(try await Self.swap(swarm) == nil)
        #expect(swarm.label == "new" && swarm.writes == 2)
        // What hung is applied now, or rather not: it names a version that has passed.
        let version = swarm.version
        swarm.applyHeld()
        #expect(swarm.version == version)
    }

    @Test func `A write that may still take place is no clear no`() async throws {
        let swarm = try StubSwarm(label: "old", turns: [.held, .held, .held, .held])
        let error = try await Self.swap(
            swarm,
            settings: Self.settings(attempts: 2, limit: .seconds(10)),
            clock: .passingInSleep
        )
        #expect(error?.code == .unknownOutcome, "\(String(describing: error))")
        #expect(swarm.label == "old" && swarm.writes == 2)
        swarm.applyHeld()
        #expect(swarm.label == "new")
    }

    @Test func `A hung write that came through late is found`() async throws {
        let swarm = try StubSwarm(label: "old", turns: [.held])
        let settings = Self.settings(attempts: 1)
        let looks = Counter()
        let behaviour: StubEngine.Behaviour = { request in
            if request.method == "GET",
                looks.next() == 4
            {
                swarm.applyHeld()
            }
            return swarm.answer(request)
        }
        let error = try await withEngine(behaviour) { _, client -> RegisterError? in
            do throws(RegisterError) {
                try await LabelStore(client, settings: settings)
                    .compareAndSwap(label: "infrakit", from: "old", to: "new")
                return nil
            } catch {
                return error
            }
        }
        #expect(error == nil)
        #expect(swarm.label == "new" && swarm.writes == 1 && looks.count == 4)
    }

    @Test func `Once the swarm has gone on without it, a hung write cannot come through any more`() async throws {
        // Sent with version 10 and held; then the version rises, the label stays, and a refusal is a clear one.
        let swarm = try StubSwarm(label: "old", turns: [.held, .versionRises, .refuse(400, "no")])
        let error = try await Self.swap(swarm)
        #expect(error?.engine?.code == .other && error?.engine?.status == 400, "\(String(describing: error))")
        #expect(swarm.label == "old" && swarm.writes == 3)
        swarm.applyHeld()
        #expect(swarm.label == "old")
    }

    @Test func `A write without an answer and somebody else's label: nobody knows`() async throws {
        let swarm = try StubSwarm(label: "old", turns: [.appliedThenOverwritten("theirs")])
        let error = try await Self.swap(swarm)
        #expect(error?.code == .unknownOutcome && error?.message.contains("somebody else") == true)
        #expect(swarm.label == "theirs" && swarm.writes == 1)
    }

    @Test func `While it is open, looking goes on through trouble`() async throws {
        let swarm = try StubSwarm(label: "old", turns: [.appliedThenDrop])
        let looks = Counter()
        let behaviour: StubEngine.Behaviour = { request in
            guard request.method == "GET" else { return swarm.answer(request) }
            switch looks.next() {
            case 2: return .hang
            case 3: return .drop
            case 4: return Self.noLeader
            default: return swarm.answer(request)
            }
        }
        try await withEngine(behaviour) { _, client in
            let store = LabelStore(client, settings: Self.hanging)
            try await store.compareAndSwap(label: "infrakit", from: "old", to: "new")
        }
        #expect(swarm.writes == 1 && looks.count == 5)
    }

    @Test func `Trouble before anything was sent ends it at once`() async throws {
        let swarm = try StubSwarm(label: "old", readings: [Self.noLeader])
        #expect(try await Self.swap(swarm)?.engine?.code == .noQuorum)
        let hung = try StubSwarm(label: "old", readings: [.hang])
        #expect(
            try await Self.swap(hung, settings: Self.settings(requestLimit: .milliseconds(50)))?.engine?.code
                == .timeout
        )
        #expect(swarm.writes == 0 && hung.writes == 0)
    }

    @Test(arguments: [
        (500, "raft: raft message is too large and can't be sent", EngineError.Code.tooLarge),
        (400, "invalid swarm spec", .other), (503, "This node is not a swarm manager.", .notInSwarm),
    ])
    func `A clear no ends it at once`(_ status: Int, _ words: String, _ code: EngineError.Code) async throws {
        let swarm = try StubSwarm(label: "old", turns: [.refuse(status, words)])
        #expect(try await Self.swap(swarm)?.engine?.code == code)
        #expect(swarm.label == "old" && swarm.writes == 1)
    }

    @Test func `An unclear no is looked into`() async throws {
        let swarm = try StubSwarm(
            label: "old",
            turns: [.refuse(500, "The swarm does not have a leader"), .refuse(500, "rpc error: transport is closing")]
        )
        #expect(try await Self.swap(swarm) == nil)
        #expect(swarm.label == "new" && swarm.writes == 3)
    }

    @Test func `Whoever may not write any more does not, also not again`() async throws {
        let swarm = try StubSwarm(label: "old")
        #expect(try await Self.swap(swarm, while: { false })?.code == .cancelled)
        #expect(swarm.writes == 0)
        let other = try StubSwarm(label: "old", turns: [.versionRises])
        let asked = Counter()
        let error = try await Self.swap(
            other,
            while: { asked.next() == 1 }
        )
        #expect(error?.code == .cancelled)
        #expect(other.label == "old" && other.writes == 1)
        let open = try StubSwarm(label: "old", turns: [.held])
        let again = Counter()
        let unclear = try await Self.swap(
            open,
            while: { again.next() == 1 }
        )
        #expect(unclear?.code == .unknownOutcome && open.writes == 1)
    }

    @Test func `Giving up while it is open leaves it open`() async throws {
        let swarm = try StubSwarm(label: "old", turns: [.heldThenHang])
        try await withEngine(swarm.answer) { _, client in
            let store = LabelStore(client, settings: Self.settings())
            let task = Task { try await store.compareAndSwap(label: "infrakit", from: "old", to: "new") }
            try await eventually("a write") { swarm.writes == 1 }
            task.cancel()
            let error = await #expect(throws: RegisterError.self) { try await task.value }
            #expect(error?.code == .unknownOutcome)
        }
    }

    @Test func `Of many writers with the same beginning one succeeds`() async throws {
        let swarm = try StubSwarm(label: "old")
        let outcomes = try await withEngine(swarm.answer) { _, client in
            let store = LabelStore(client, settings: Self.settings())
            return await withTaskGroup(of: RegisterError.Code?.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        do throws(RegisterError) {
                            try await store.compareAndSwap(label: "infrakit", from: "old", to: "new \(number)")
                            return nil
                        } catch {
                            return error.code
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(outcomes.count { $0 == nil } == 1)
        #expect(outcomes.count { $0 == .lostRace } == 7)
    }

    // MARK: - Other labels in the same update

    private static func swap(
        _ swarm: StubSwarm,
        others: @escaping @Sendable (SwarmLabels) throws(RegisterError) -> [String: String]
    ) async throws -> Result<ResourceVersion, RegisterError> {
        try await withEngine(swarm.answer) { _, client in
            let store = LabelStore(client, settings: settings())
            do throws(RegisterError) {
                return .success(
                    try await store.compareAndSwap(label: "infrakit", from: "old", to: "new", others: others)
                )
            } catch {
                return .failure(error)
            }
        }
    }

    @Test func `Other labels change with it, from what is there at each sending`() async throws {
        let swarm = try StubSwarm(label: "old", turns: [.versionRises])
        let before = swarm.spec
        let asked = Counter()
        let result = try await Self.swap(swarm) { snapshot throws(RegisterError) in
            #expect(snapshot.text == "old" && snapshot.label == "infrakit")
            let number = asked.next()
            #expect(snapshot.version == (number == 1 ? 10 : 17))
            return ["infrakit.requests": "number \(number)"]
        }
        #expect(try result.get() == ResourceVersion(writtenOn: 17))
        #expect(
            swarm.spec
                == before.setting(label: "infrakit", to: "new").setting(label: "infrakit.requests", to: "number 2")
        )
    }

    @Test func `What the others throw ends it, before anything is sent`() async throws {
        let swarm = try StubSwarm(label: "old")
        let result = try await Self.swap(swarm) { _ throws(RegisterError) in throw RegisterError(.conflict, "no") }
        guard case .failure(let refusal) = result else { throw NeverCame(description: "an error") }
        #expect(refusal.code == .conflict && refusal.message == "no")
        #expect(swarm.label == "old" && swarm.writes == 0)
        // After a write of which nothing is known it is no clear no.
        let open = try StubSwarm(label: "old", turns: [.held])
        let asked = Counter()
        let unclear = try await Self.swap(open) { _ throws(RegisterError) in
            guard asked.next() == 1 else { throw RegisterError(.cancelled, "not any more") }
            return [:]
        }
        guard case .failure(let error) = unclear else { throw NeverCame(description: "an error") }
        #expect(error.code == .unknownOutcome && open.writes == 1)
    }

    @Test func `A position tells what was seen from what was written, in their order`() {
        let order = [
            ResourceVersion(seen: 0), ResourceVersion(seen: 9), ResourceVersion(writtenOn: 9),
            ResourceVersion(seen: 10),
            ResourceVersion(writtenOn: 10), ResourceVersion(seen: 1 << 61),
        ]
        #expect(order == order.sorted() && Set(order).count == order.count)
        #expect(ResourceVersion(seen: .max) <= ResourceVersion(writtenOn: .max))
        #expect(ResourceVersion(seen: .max) > ResourceVersion(seen: 1 << 61))
    }

    @Test func `Reading takes the better label, and says which it was`() async throws {
        let swarm = try StubSwarm()
        try await withEngine(swarm.answer) { _, client in
            let store = LabelStore(client, settings: Self.settings())
            #expect(try await store.read().label == nil)
            #expect(try await store.read().annotation() == nil)
            let go = try Recorded.text("go-manager-9.label")
            swarm.state.withLock { $0.spec = $0.spec.setting(label: "infrakit.specs", to: go) }
            #expect(try await store.read().label == "infrakit.specs")
            #expect(try await store.read().annotation()?.groups.count == 2)
            swarm.state.withLock { $0.spec = $0.spec.setting(label: "infrakit", to: "damaged") }
            let snapshot = try await store.read()
            #expect(snapshot.label == "infrakit" && snapshot.text == "damaged" && snapshot.version == 10)
            #expect(throws: AnnotationError.self) { try snapshot.annotation() }
        }
    }
}

extension RegisterError {
    /// What the Engine said.
    fileprivate var engine: EngineError? { cause as? EngineError }
}

extension ReplicationClock {
    /// Time that passes in pauses alone, and costs none: how busy the machine is plays no part.
    fileprivate static var passingInSleep: ReplicationClock {
        ReplicationClock(Passed())
    }

    private init(_ passed: Passed) {
        let start = ContinuousClock.now
        self.init()
        now = { start + passed.value }
        sleep = { passed.add($0) }
    }
}

private final class Passed: Sendable {
    private let time = Mutex(Duration.zero)

    var value: Duration { time.withLock(\.self) }
    func add(_ duration: Duration) { time.withLock { $0 += duration } }
}
