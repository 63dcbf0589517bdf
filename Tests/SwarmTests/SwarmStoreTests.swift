import Foundation
import GroupSPI
import Store
import Synchronization
import Testing

@testable import Replication
@testable import Swarm

@Suite("The store in swarm mode")
struct SwarmStoreTests {
    // MARK: - Beginning

    @Test func `The first start, without a label`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open()
            #expect(try await store.see() == .nobody(since: 0))
            // One answer is not enough.
            #expect(store.takeoverReason(.none) == nil)
            #expect(try await store.acquire(.none) == nil)
            #expect(swarm.writes == 0)
            let leading = try await store.lead()
            #expect(leading.lease.epoch == 1 && swarm.snapshot?.lease.instance == leading.fence.instance)
            #expect(try await leading.append("web").number == 1)
            #expect(swarm.snapshot?.newest == 1 && swarm.snapshot?.groups.keys.sorted() == ["web"])
            #expect(try await store.revision(1, within: patience)?.hash == swarm.snapshot?.hash)
            let renewed = try await store.renewLease(leading.fence, within: patience)
            #expect(renewed.epoch == 1 && renewed.sequence > leading.lease.sequence)
            #expect(swarm.writes == 2)
            let outcome = Outcome(revision: 1, group: "web", status: .applied)
            try await store.recordOutcomes([outcome], fence: leading.fence, within: patience)
            #expect(try await store.revision(1, within: patience)?.status == .applied)
            try await store.releaseLease(leading.fence, reason: "stopped", within: patience)
            #expect(swarm.snapshot?.lease.isHeld == false && swarm.snapshot?.records[0].revision.status == .applied)
            let error = try await failure { try await leading.append("web") }
            #expect(error.code == .fenced)
        }
    }

    @Test func `A lease that is held is taken over after the settling time only, unless its holder is gone`()
        async throws
    {
        try await SwarmBench.with(2) { swarm, nodes in
            let first = try await nodes[0].open().lead()
            swarm.lead("n2")
            let patient = SwarmStore.Settings.testing(settling: .seconds(600))
            let second = try await nodes[1].open(patient)
            var seen = Lease.none
            for _ in 0..<5 { seen = try await second.see() }
            #expect(seen.instance == first.fence.instance && second.takeoverReason(seen) == nil)
            #expect(try await second.acquire(seen) == nil)
            // Another start of it, which knows that the holder has ended.
            let knowing = try await nodes[1].open(patient, holderIsGone: { $0.instance == first.fence.instance })
            #expect(try await knowing.lead("n2/group").lease.epoch == 2)
            #expect(swarm.snapshot?.place == "n2")
            #expect(try await failure { try await first.append("web") }.code == .fenced)
        }
    }

    @Test func `A lease that was released is taken over at once`() async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let first = try await nodes[0].open().lead()
            try await first.store.releaseLease(first.fence, reason: "stopped", within: patience)
            swarm.lead("n2")
            let second = try await nodes[1].open(.testing(settling: .seconds(600)))
            #expect(try await second.acquire(try await second.see()) == nil)
            let seen = try await second.see()
            #expect(second.takeoverReason(seen) == "released")
            #expect(try await second.acquire(seen)?.lease.epoch == 2)
            #expect(swarm.snapshot?.terms.map(\.reason) == [nil, "stopped"])
        }
    }

    @Test(arguments: ["infrakit", "infrakit.specs"])
    func `What the Go manager has left is the next revision`(_ label: String) async throws {
        try await SwarmBench.with { swarm, nodes in
            swarm.put(label, try Recorded.text("go-manager-9.label"))
            let store = try await nodes[0].open()
            _ = try await store.see()
            #expect(try await store.groups().isEmpty)
            let leading = try await store.lead()
            let revision = try #require(try await store.revision(1, within: patience))
            #expect(revision.operation == .import && revision.groups == ["cattle", "pets"])
            #expect(revision.message == "found in the swarm's label" && revision.epoch == leading.lease.epoch)
            #expect(swarm.snapshot?.groups.keys.sorted() == ["cattle", "pets"] && swarm.writes == 1)
            #expect(try await leading.append("web").number == 2)
        }
    }

    @Test func `The Go manager's older label is not lost when it comes at the same moment`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let go = try Recorded.text("go-manager-9.label")
            let store = try await nodes[0].open()
            _ = try await store.see()
            let seen = try await store.see()
            swarm.before("n1", "GET", "/swarm") { swarm.put("infrakit.specs", go) }
            #expect(try await store.acquire(seen) == nil)
            #expect(swarm.label == nil && swarm.writes == 0)
            _ = try await store.lead()
            #expect(swarm.snapshot?.groups.keys.sorted() == ["cattle", "pets"])
        }
    }

    @Test func `The Go manager writes over our label`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open()
            let leading = try await store.lead()
            try await leading.append("cattle")
            try await leading.append("web")
            try await store.submit(
                Request(id: "r", kind: .mark(.tag("good", revision: 1, moving: false)), author: .tester),
                within: patience
            )
            try await store.apply(
                .tag("good", revision: 1, moving: false),
                author: .tester,
                resolving: "r",
                fence: leading.fence,
                within: patience
            )
            #expect(try await store.copy.tags(within: patience).map(\.name) == ["good"])
            swarm.put("infrakit", try Recorded.text("go-manager-9.label"))
            #expect(try await failure { try await leading.append("db") }.code == .fenced)
            let error = try await failure { try await store.renewLease(leading.fence, within: patience) }
            #expect(error.code == .fenced && error.message.contains("another manager has written"))
            #expect(try await failure { try await leading.append("db") }.code == .fenced)
            #expect(swarm.snapshot == nil)
            let next = try await store.lead()
            #expect(next.lease.epoch == 2)
            let revision = try #require(try await store.revision(3, within: patience))
            #expect(revision.operation == .import && revision.changes.map(\.group) == ["cattle", "pets", "web"])
            #expect(revision.changes[2].action == .free)
            #expect(try await store.groups() == ["cattle", "pets"])
            #expect(swarm.snapshot?.newest == 3 && swarm.snapshot?.isSound == true)
            #expect(try await store.copy.tags(within: patience).map(\.name) == ["good"])
            #expect(swarm.snapshot?.tags.map(\.name) == ["good"])
            #expect(try await store.copy.terms(within: patience).map { $0.until == nil } == [true, false])
            #expect(try await store.copy.verify(within: patience).problems == [])
        }
    }

    @Test func `The epoch never falls, also when the label is lost`() async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let follower = try await nodes[1].open(.testing(settling: .seconds(600)))
            let first = try await nodes[0].open()
            for _ in 1...3 { _ = try await first.lead() }
            try await follower.see()
            swarm.put("infrakit", nil)
            #expect(swarm.label == nil)
            swarm.lead("n2")
            for _ in 0..<3 { try await follower.see() }
            // The leader before may still act: its label is gone, not its claim.
            #expect(try await follower.acquire(try await follower.see()) == nil)
            let restarted = try await nodes[1].open()
            #expect(try await restarted.lead("n2/group").lease.epoch == 4)
            #expect(swarm.snapshot?.terms.map(\.epoch) == [4, 3, 2, 1])
        }
        try await SwarmBench.with(2) { swarm, nodes in
            let follower = try await nodes[1].open()
            let first = try await nodes[0].open()
            for _ in 1...3 { _ = try await first.lead() }
            try await follower.see()
            swarm.put("infrakit", try Recorded.text("go-manager-9.label"))
            swarm.lead("n2")
            #expect(try await follower.lead("n2/group").lease.epoch == 4)
        }
    }

    // MARK: - Damage

    @Test func `A damaged label is never written over`() async throws {
        try await SwarmBench.with(label: "damaged") { swarm, nodes in
            let store = try await nodes[0].open()
            for _ in 0..<3 {
                let error = try await failure { try await store.see() }
                #expect(error.code == .corrupt && error.message.contains("'infrakit' is damaged"))
            }
            #expect(try await failure { try await store.acquire(.none) }.code == .corrupt)
            let fence = Fence(instance: "i", epoch: 1, manager: "m")
            #expect(
                try await failure { try await store.append(.set("a"), fence: fence, within: patience) }.code == .busy
            )
            #expect(swarm.writes == 0 && swarm.label == "damaged")
        }
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open()
            let leading = try await store.lead()
            try await leading.append("web")
            swarm.put("infrakit", "damaged")
            #expect(try await failure { try await store.see() }.code == .corrupt)
            #expect(try await failure { try await store.renewLease(leading.fence, within: patience) }.code == .corrupt)
            #expect(try await failure { try await leading.append("db") }.code == .busy)
            #expect(swarm.label == "damaged" && swarm.writes == 2)
            // What this node knows can still be read, and says why it is old.
            #expect(try await store.groups() == ["web"])
            let trouble = try await store.copy.replicaInfo(within: patience)?.trouble
            #expect(trouble?.contains("damaged") == true)
        }
    }

    @Test func `A copy that is missing, damaged or no copy at all`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let node = nodes[0]
            let leading = try await node.open().lead()
            try await leading.append("web")
            let path = node.configuration.path
            try FileManager.default.removeItem(atPath: path)
            let rebuilt = try await node.open()
            try await rebuilt.see()
            #expect(try await rebuilt.groups() == ["web"])
            #expect(node.lines.count("swarm copy damaged") == 0)
            try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: path))
            let again = try await node.open()
            try await again.see()
            #expect(try await again.groups() == ["web"])
            #expect(node.lines.count("swarm copy damaged") == 1)
            #expect(try node.files.contains { $0.hasPrefix("manager.db.damaged-") })
            #expect(swarm.writes == 2)
        }
    }

    @Test func `The history of a manager in os mode is no copy`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let own = try await Store.openForManager(nodes[0].configuration)
            let candidate = Candidate(
                id: ReplicaID("n1")!,
                instance: "i",
                process: ProcessIdentity(host: "h", bootID: "b", pidNamespace: "ns", pid: 42, startTime: 9),
                socket: "",
                pluginSocket: "",
                guardLock: ""
            )
            _ = try await own.acquireLease(candidate, watched: .none, ttl: 1, reason: "", within: patience)
            let error = try await failure { try await nodes[0].open() }
            #expect(error.code == .conflict && error.message.contains("os mode"))
            #expect(try await own.lease(within: patience).instance == "i")
            #expect(try nodes[0].files == ["manager.db"])
        }
    }

    @Test func `Another swarm: the copy is put aside`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open()
            try await store.lead().append("web")
            swarm.state.withLock { $0.id = "y" }
            swarm.put("infrakit", nil)
            try await store.see()
            #expect(try await store.copy.replicaInfo(within: patience)?.cluster == "y")
            #expect(try await store.groups().isEmpty)
            #expect(nodes[0].lines.count("swarm copy set aside") == 1)
            #expect(try nodes[0].files.contains { $0.hasPrefix("manager.db.aside-") })
        }
    }

    // MARK: - Older answers

    @Test func `Older answers are ignored, and what this node knows beyond them is never forgotten`() async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let store = try await nodes[1].open()
            try await leading.append("web")
            try await store.see()
            let old = swarm.past
            try await leading.append("db")
            try await store.see()
            swarm.mood("n2", .old(old))
            for _ in 0..<6 {
                try await store.see()
                #expect(try await store.groups() == ["db", "web"])
            }
            #expect(nodes[1].lines.count("swarm put back") == 1)
            #expect(nodes[1].lines.count("swarm copy set aside") == 0)
            let trouble = try await store.copy.replicaInfo(within: patience)?.trouble
            #expect(trouble?.contains("an older state back into the swarm's label 'infrakit': revision 1") == true)
            swarm.mood("n2", .well)
            try await store.see()
            try await leading.append("pets")
            try await store.see()
            #expect(try await store.groups() == ["db", "pets", "web"])
            #expect(try await store.copy.replicaInfo(within: patience)?.trouble == nil)
        }
    }

    @Test func `A start does not believe what is older than its copy`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let old = swarm.past
            try await leading.append("web")
            try await leading.store.see()
            swarm.mood("n1", .old(old))
            let store = try await nodes[0].open()
            for _ in 0..<3 {
                let error = try await failure { try await store.see() }
                #expect(error.code == .busy && error.message.contains("older state"))
            }
            #expect(try await store.groups() == ["web"])
            swarm.mood("n1", .well)
            try await store.see()
            #expect(try await store.groups() == ["web"])
        }
    }

    @Test func `An Engine that hangs or drops: reads go on, and say why they are old`() async throws {
        try await SwarmBench.with { swarm, nodes in
            try await nodes[0].open().lead().append("web")
            let store = try await nodes[0].open(.testing(request: .seconds(2)))
            for mood in [StubSwarm.Mood.drops, .hangs] {
                swarm.mood("n1", mood)
                #expect(try await failure { try await store.see() }.code == .busy)
                #expect(try await store.copy.replicaInfo(within: patience)?.trouble != nil)
                #expect(try await store.groups() == ["web"])
                swarm.mood("n1", .well)
                try await eventually("a look") {
                    _ = try? await store.see()
                    return try await store.copy.replicaInfo(within: patience)?.trouble == nil
                }
            }
        }
    }

    // MARK: - Writing

    @Test(arguments: [true, false])
    func `A write that hangs is unknown, and found or not by the next look`(_ comesThrough: Bool) async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open(.testing(attempts: 1))
            let leading = try await store.lead()
            let draft = RevisionDraft.set("web")
            swarm.turn(.held)
            let error = try await failure { try await store.append(draft, fence: leading.fence, within: .seconds(10)) }
            #expect(error.code == .unknownOutcome)
            // Nothing is written before somebody has looked.
            #expect(try await failure { try await leading.append("db") }.code == .busy)
            if comesThrough { swarm.applyHeld() } else { swarm.state.withLock { $0.version += 1 } }
            try await store.see()
            #expect(try await store.groups() == (comesThrough ? ["web"] : []))
            if !comesThrough { _ = try await store.append(draft, fence: leading.fence, within: patience) }
            swarm.applyHeld()
            try await store.see()
            #expect(swarm.snapshot?.newest == 1 && swarm.snapshot?.records.map(\.token) == [draft.token])
            #expect(try await store.copy.summary(within: patience).newest == 1)
        }
    }

    @Test func `A write that hangs and may still come through is not doubled`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open(.testing(attempts: 1))
            let leading = try await store.lead()
            swarm.turn(.held)
            #expect(
                try await failure { try await leading.append("web", within: .seconds(10)) }.code == .unknownOutcome
            )
            try await store.see()
            // The look shows the old text, and then what hung comes through before the next write.
            swarm.applyHeld()
            #expect(try await failure { try await leading.append("web") }.code == .fenced)
            try await store.see()
            #expect(swarm.snapshot?.newest == 1)
            #expect(try await store.copy.summary(within: patience).newest == 1)
        }
    }

    @Test func `A lost race is fenced`() async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let first = try await nodes[0].open().lead()
            try await first.append("web")
            swarm.lead("n2")
            let second = try await nodes[1].open().lead("n2/group")
            #expect(try await failure { try await first.append("db") }.code == .fenced)
            #expect(try await second.append("pets").number == 2)
            let error = try await failure { try await first.store.renewLease(first.fence, within: patience) }
            #expect(error.code == .fenced)
            #expect(try await failure { try await first.append("db") }.code == .fenced)
            #expect(try await first.store.groups() == ["pets", "web"])
            #expect(swarm.snapshot?.groups.keys.sorted() == ["pets", "web"])
        }
    }

    @Test func `Who may not claim any more writes nothing`() async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let writes = swarm.writes
            swarm.lead("n2")
            try await leading.store.see()
            #expect(try await failure { try await leading.append("web") }.code == .fenced)
            #expect(swarm.writes == writes)
            #expect(leading.store.takeoverReason(.none) == nil)
        }
    }

    @Test func `Many changes at once take few updates, and each has a number of its own`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let writes = swarm.writes
            let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<60 { group.addTask { try await leading.append("g\(index)").number } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(numbers.sorted() == Array(1...60))
            #expect(swarm.writes - writes < 30, "\(swarm.writes - writes)")
            #expect(try await leading.store.groups().count == 60)
            #expect(swarm.snapshot?.isSound == true && swarm.snapshot?.newest == 60)
        }
    }

    /// Text that does not get smaller.
    private static func noise(_ count: Int) -> RevisionDraft {
        let text = (0..<count).map { _ in UInt8.random(in: 0...255) }.hexadecimal
        let properties = RawJSON(checked: Array("\"\(text)\"".utf8))
        return RevisionDraft(
            author: .tester,
            operation: .commit,
            changes: [Change(group: "noise", action: .set(properties, plugin: "p"))]
        )
    }

    @Test func `One that is too large is refused alone`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open(.testing(label: .init(maximum: 9000)))
            let leading = try await store.lead()
            let codes = await withTaskGroup(of: StoreError.Code?.self) { group in
                for index in 0..<12 {
                    group.addTask {
                        let draft = index % 4 == 0 ? Self.noise(9000) : RevisionDraft.set("g\(index)")
                        do throws(StoreError) {
                            _ = try await store.append(draft, fence: leading.fence, within: patience)
                            return nil
                        } catch {
                            return error.code
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == .tooLarge } == 3 && codes.count { $0 == nil } == 9)
            #expect(swarm.snapshot?.newest == 9 && swarm.snapshot?.isSound == true)
            #expect(try await store.groups().count == 9)
            #expect(try await leading.append("after").number == 10)
        }
    }

    @Test func `The Engine's own limit refuses one alone, too`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            // It is tried once more, with less of the past.
            let refusal = StubSwarm.Turn.refuse(500, "raft: raft message is too large and can't be sent")
            swarm.turn(refusal, refusal)
            #expect(try await failure { try await leading.append("web") }.code == .tooLarge)
            #expect(try await leading.append("web").number == 1)
        }
    }

    @Test func `A label that gets full says so, once`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open(.testing(label: .init(maximum: 10_000)))
            let leading = try await store.lead()
            #expect(nodes[0].lines.count("swarm label nearly full") == 0)
            _ = try await store.append(Self.noise(5200), fence: leading.fence, within: patience)
            #expect((8000...10_000).contains(swarm.label?.utf8.count ?? 0), "\(swarm.label?.utf8.count ?? 0)")
            #expect(nodes[0].lines.count("swarm label nearly full") == 1)
            try await leading.append("web")
            try await leading.append("db")
            #expect(nodes[0].lines.count("swarm label nearly full") == 1)
            #expect(try await store.copy.replicaInfo(within: patience)?.labelLimit == 10_000)
            #expect(try await store.copy.replicaInfo(within: patience)?.labelSize == swarm.label?.utf8.count)
        }
    }

    @Test func `A past that does not fit is left out`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open(.testing(label: .init(maximum: 9000)))
            let leading = try await store.lead()
            for _ in 0..<3 {
                let revision = try await store.append(Self.noise(2000), fence: leading.fence, within: patience)
                let outcome = Outcome(revision: revision.number, group: "noise", status: .applied)
                try await store.recordOutcomes([outcome], fence: leading.fence, within: patience)
            }
            #expect(swarm.snapshot?.newest == 3 && (swarm.snapshot?.base.revision ?? 0) > 0)
            #expect(try await store.copy.summary(within: patience).newest == 3)
            #expect(try await store.copy.verify(within: patience).problems == [])
        }
    }
}
