import GroupSPI
import Replication
import Store
import Swarm
import SwarmLabSupport
import Testing

@Suite("A real swarm", .serialized, .swarmLab)
struct SwarmLabTests {
    @Test func `The client understands every kind of node`() async throws {
        try await withLab { lab in
            let leader = try await lab.leader()
            for (node, isManager) in [("n1", true), ("n2", true), ("n3", true), ("w1", false), ("s1", false)] {
                let client = try lab.client(node)
                let info = try await client.info()
                #expect(info.isManager == isManager && info.trouble.isEmpty)
                let answer = await SwarmObserver(client, within: .seconds(10)).observe().answer
                switch node {
                case leader: #expect(answer == .leader(canSeeMajority: true))
                case "w1", "s1":
                    guard case .excluded = answer else {
                        Issue.record("\(node): \(answer)")
                        break
                    }
                    let error = await #expect(throws: EngineError.self) { try await client.swarm() }
                    #expect(error?.code == (node == "w1" ? .worker : .notInSwarm))
                default: #expect(answer == .follower)
                }
                await client.shutdown()
            }
        }
    }

    @Test func `A label is swapped, and nothing else is changed`() async throws {
        try await withLab { lab in
            let clients = try ["n1", "n2", "n3"].map { try lab.client($0) }
            let stores = clients.map { LabelStore($0) }
            let before = try await clients[0].swarm()
            #expect(try await stores[1].read().label == nil)

            // Three managers with the same beginning.
            let wins = await withTaskGroup(of: RegisterError.Code?.self) { group in
                for (number, store) in stores.enumerated() {
                    group.addTask {
                        do throws(RegisterError) {
                            try await store.compareAndSwap(label: "infrakit", from: nil, to: "by \(number)")
                            return nil
                        } catch {
                            return error.code
                        }
                    }
                }
                return await group.reduce(into: [RegisterError.Code?]()) { $0.append($1) }
            }
            #expect(wins.count { $0 == nil } == 1 && wins.count { $0 == .lostRace } == 2, "\(wins)")
            let text = try #require(try await stores[2].read().text)
            let after = try await clients[0].swarm()
            #expect(after.spec == before.spec.setting(label: "infrakit", to: text))
            #expect(after.version > before.version)

            // A stale version, in the Engine's own words.
            let error = await #expect(throws: EngineError.self) {
                try await clients[1].update(before.spec, version: before.version)
            }
            #expect(error?.code == .lostRace)

            // A chain of writes by all of them, each on the one before.
            var last = text
            for number in 0..<30 {
                let groups = [
                    GlobalConfig.Entry(
                        spec: GroupSpec(id: "g\(number)", properties: try RawJSON("{ \"N\": 1.0 }")),
                        plugin: "p"
                    )
                ]
                let next = try Annotation(revision: number, epoch: 1, historyHash: "00", groups: groups)
                    .encoded().text
                try await stores[number % 3].compareAndSwap(label: "infrakit", from: last, to: next)
                last = next
            }
            let annotation = try #require(try await stores[0].read().annotation())
            #expect(annotation.snapshot?.newest == 29 && annotation.groups[0].spec.properties.text == "{ \"N\": 1.0 }")

            // What fits, and what does not.
            let large = String(repeating: "x", count: EncodedAnnotation.Limit().maximum)
            try await stores[1].compareAndSwap(label: "infrakit", from: last, to: large)
            #expect(try await stores[2].read().text == large)
            let larger = String(repeating: "y", count: 1_600_000)
            let refusal = await #expect(throws: RegisterError.self) {
                try await stores[0].compareAndSwap(label: "infrakit", from: large, to: larger)
            }
            #expect(refusal?.code == .tooLarge, "\(String(describing: refusal))")
            #expect(try await stores[0].read().text == large)
            for client in clients { await client.shutdown() }
        }
    }

    @Test func `A write into a stopped leader is known in the end`() async throws {
        try await withLab { lab in
            var (leader, client, error) = try await writeIntoStoppedLeader(lab, "hung")
            var before: String?
            // The swarm had elected another one just then: the write is told, and the next leader is stopped.
            while error == nil {
                try await lab("resume", leader)
                await client.shutdown()
                before = before.map { $0 + " again" } ?? "hung"
                (leader, client, error) = try await writeIntoStoppedLeader(lab, (before ?? "") + " again")
            }
            let hung = before.map { $0 + " again" } ?? "hung"
            print("swarm lab: a write while the leader is stopped: \(error.map { "\($0.code)" } ?? "none")")
            #expect(error?.leavesOutcomeOpen == true)
            let store = LabelStore(client, settings: .init(limit: .seconds(90)))
            // Whatever becomes of that write: one of the two texts is there in the end, and the caller knows which.
            var outcome: RegisterError?
            repeat {
                do throws(RegisterError) {
                    outcome = nil
                    try await store.compareAndSwap(label: "infrakit", from: before, to: "second")
                } catch {
                    outcome = error
                }
            } while outcome?.code == .unavailable
                && [nil, .timeout, .noQuorum].contains((outcome?.cause as? EngineError)?.code)
            try await lab("resume", leader)
            let text = try await {
                while true {
                    if let text = try? await store.read().text { return text }
                    try await Task.sleep(for: .milliseconds(100), clock: .suspending)
                }
            }()
            print(
                "swarm lab: then the swap ends with \(outcome.map { "\($0.code)" } ?? "success"), the label is '\(text)'"
            )
            #expect(text == (outcome == nil ? "second" : hung))
            if let outcome { #expect(outcome.code == .lostRace || outcome.code == .unknownOutcome) }
            await client.shutdown()
        }
    }

    /// - Returns: the leader that was stopped, a client of another node, and what that one was told.
    private func writeIntoStoppedLeader(
        _ lab: SwarmLab,
        _ text: String
    ) async throws -> (leader: String, client: EngineClient, error: EngineError?) {
        let leader = try await lab.leader()
        let other = try #require(["n1", "n2", "n3"].first { $0 != leader })
        let client = try lab.client(other)
        let object = try await client.swarm()
        try await lab("pause", leader)
        // Straight at the Engine, so that a write is under way while there is no leader.
        do throws(EngineError) {
            try await client.update(object.spec.setting(label: "infrakit", to: text), version: object.version)
            return (leader, client, nil)
        } catch {
            return (leader, client, error)
        }
    }

    @Test func `Claims follow the office, and there are never two`() async throws {
        try await withLab { lab in
            let nodes = ["n1", "n2", "n3"]
            let watch = ClaimWatch(nodes, SwarmDetectorSettings(limit: .seconds(3)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                for node in nodes {
                    let client = try lab.client(node)
                    group.addTask {
                        await watch.follow(node, client, every: .milliseconds(400))
                        await client.shutdown()
                    }
                }
                group.addTask { await watch.sample() }
                // Looked at once for each answer: a claim may lapse between two looks.
                func candidate(_ what: String, where isMeant: (String) -> Bool) async throws -> String {
                    var found: String?
                    try await eventually(what) {
                        let leaders = watch.leaders
                        found = leaders.count == 1 ? leaders.first { isMeant($0) } : nil
                        return found != nil
                    }
                    return try #require(found)
                }
                var old = try await candidate("a claim") { _ in true }
                #expect(try await lab.leader() == old)
                for (fault, cure) in [("pause", "resume"), ("cut", "heal"), ("kill", "start"), ("demote", "promote")] {
                    let start = ContinuousClock.now
                    try await lab(fault, old)
                    let new = try await candidate("another claim after \(fault)") { $0 != old }
                    try await lab(cure, old)
                    // Well again: all managers answer, and one of them leads.
                    let last = try await candidate("a whole swarm after \(cure)") { _ in
                        watch.answers.values.count { $0 == .follower } == 2
                            && watch.answers.values.contains(.leader(canSeeMajority: true))
                    }
                    let course = watch.changes.filter { $0.at > start }.map { "\($0) at \(($0.at - start))" }
                    print("swarm lab: \(fault) \(old), then \(new): \(course.joined(separator: ", "))")
                    old = last
                }
            }
            #expect(watch.changes.allSatisfy { $0.leaders.count < 2 }, "\(watch.changes)")
        }
    }
}
