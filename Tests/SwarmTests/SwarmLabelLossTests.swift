import Foundation
import GroupSPI
import Store
import Testing

@testable import Replication
@testable import Swarm

@Suite("A label that somebody else writes or removes")
struct SwarmLabelLossTests {
    /// What somebody does to the label of a leader.
    enum Deed: CaseIterable {
        case removed, emptied, stripped, olderRevision, olderOutcome, olderRequests

        var sentence: String {
            switch self {
            case .removed: "was removed"
            case .emptied: "has emptied"
            case .stripped: "without its history"
            default: "an older state back"
            }
        }
    }

    private static func foreign(_ json: String) throws -> String { try LabelText.encode(Array(json.utf8)) }

    private static func request(_ id: String) -> Request {
        Request(id: id, kind: .stepDown, author: .tester, time: Store.wallClock(), patience: 30_000)
    }

    private static func applied(_ number: Int, _ group: Identifier) -> Outcome {
        Outcome(revision: number, group: group, status: .applied)
    }

    /// Every way in which a label can come to hold less than its leader knows. None empties anything, and no term ends.
    @Test(arguments: Deed.allCases)
    func `A leader writes again what it knows`(_ deed: Deed) async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let store = leading.store
            let follower = try await nodes[1].open()
            try await leading.append("web")
            try await store.recordOutcomes([Self.applied(1, "web")], fence: leading.fence, within: patience)
            let oldRevision = try #require(swarm.label)
            try await leading.append("db")
            let oldOutcome = try #require(swarm.label)
            try await store.recordOutcomes([Self.applied(2, "db")], fence: leading.fence, within: patience)
            let oldRequests = try #require(swarm.label)
            try await store.submit(Self.request("r"), within: patience)
            try await store.finishRequest("r", state: .refused, error: "no", fence: leading.fence, within: patience)
            try await store.apply(
                .tag("good", revision: 1, moving: false),
                author: .tester,
                resolving: try await {
                    try await store.submit(Self.request("t"), within: patience)
                    return "t"
                }(),
                fence: leading.fence,
                within: patience
            )
            try await follower.see()
            let before = try #require(swarm.snapshot)
            let groups = try Annotation(label: try #require(swarm.label)).groups
            switch deed {
            case .removed: swarm.put("infrakit", nil)
            case .emptied: swarm.put("infrakit", try Self.foreign("{\"Groups\":null}"))
            case .stripped: swarm.put("infrakit", try Annotation(groups: groups).encoded().text)
            case .olderRevision: swarm.put("infrakit", oldRevision)
            case .olderOutcome: swarm.put("infrakit", oldOutcome)
            case .olderRequests: swarm.put("infrakit", oldRequests)
            }
            // Those who do not lead keep what they have, and say what is wrong.
            try await follower.see()
            #expect(try await follower.groups() == ["db", "web"])
            let trouble = try await follower.copy.replicaInfo(within: patience)?.trouble
            #expect(trouble?.contains(deed.sentence) == true, "\(trouble ?? "none")")

            #expect(try await store.renewLease(leading.fence, within: patience).epoch == leading.lease.epoch)
            var after = try #require(swarm.snapshot)
            #expect(after.sequence > before.sequence)
            after.sequence = before.sequence
            #expect(after == before)
            #expect(nodes[0].lines.count("swarm label restored") == 1)
            #expect(try await leading.append("pets").number == 3)
            try await follower.see()
            for (node, store) in zip(nodes, [store, follower]) {
                #expect(try await store.groups() == ["db", "pets", "web"])
                #expect(try await store.isSound(3))
                #expect(try await store.copy.tags(within: patience).map(\.name) == ["good"])
                #expect(try await store.copy.replicaInfo(within: patience)?.trouble == nil)
                #expect(node.lines.count("swarm copy set aside") == 0)
                #expect(try node.files == ["manager.db"])
            }
        }
    }

    @Test(arguments: Deed.allCases.prefix(4))
    func `A change at that very moment goes on from what the leader knows`(_ deed: Deed) async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            try await leading.append("web")
            let old = try #require(swarm.label)
            let groups = try Annotation(label: old).groups
            try await leading.append("web", 2)
            let text =
                switch deed {
                case .emptied: try Self.foreign("{\"Groups\":{}}")
                case .stripped: try Annotation(groups: groups).encoded().text
                default: deed == .removed ? nil : old
                }
            // Without a look in between, and once more between the look of the write and the write itself.
            swarm.put("infrakit", text)
            if deed == .stripped {
                // Other groups than those that stand: somebody else's word.
                #expect(try await failure { try await leading.append("db") }.code == .fenced)
                return
            }
            #expect(try await leading.append("db").number == 3)
            swarm.before("n1", "POST", "/swarm/update") { swarm.put("infrakit", text) }
            #expect(try await leading.append("pets").number == 4)
            #expect(swarm.snapshot?.newest == 4 && swarm.snapshot?.isSound == true)
            #expect(try await leading.store.groups() == ["db", "pets", "web"])
            #expect(nodes[0].lines.count("swarm label restored") == 2)
        }
    }

    @Test func `What another manager writes is the next revision, and what stood before it is still there`()
        async throws
    {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let store = leading.store
            let follower = try await nodes[1].open()
            for group: Identifier in ["web", "db"] { try await leading.append(group) }
            try await follower.see()
            let groups =
                try #require(swarm.snapshot).groups.values + [
                    GlobalConfig.Entry(spec: GroupSpec(id: "viaGo", properties: try RawJSON("{}")), plugin: "p")
                ]
            let text = try Annotation(groups: groups.sorted { $0.spec.id < $1.spec.id }).encoded().text
            swarm.put("infrakit", text)
            #expect(try await failure { try await store.renewLease(leading.fence, within: patience) }.code == .fenced)
            // The term lets go, and leaves the label as it is.
            try await store.releaseLease(leading.fence, reason: "fenced", within: patience)
            #expect(swarm.label == text)
            try await follower.see()
            #expect(try await follower.groups() == ["db", "web"])
            let next = try await store.lead()
            #expect(next.lease.epoch == leading.lease.epoch + 1)
            let revision = try #require(try await store.revision(3, within: patience))
            #expect(revision.operation == .import && revision.groups == ["viaGo"])
            try await follower.see()
            for (node, store) in zip(nodes, [store, follower]) {
                #expect(try await store.groups() == ["db", "viaGo", "web"])
                #expect(try await store.isSound(3))
                #expect(try node.files == ["manager.db"])
            }
        }
    }

    // MARK: - While nobody leads

    @Test(arguments: [true, false])
    func `A label that is lost while no manager runs is written again from the next leader's copy`(
        _ isRemoved: Bool
    ) async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let follower = try await nodes[1].open()
            try await leading.append("web")
            let old = try #require(swarm.label)
            try await leading.append("db")
            try await leading.store.recordOutcomes([Self.applied(1, "web")], fence: leading.fence, within: patience)
            try await follower.see()
            let before = try #require(swarm.snapshot)
            swarm.put("infrakit", isRemoved ? nil : old)
            let restarted = try await nodes[0].open()
            let next = try await restarted.lead()
            #expect(next.lease.epoch == 2)
            let after = try #require(swarm.snapshot)
            #expect(after.groups == before.groups && after.hash == before.hash)
            // What is not known of the second is still not known.
            #expect(after.records.map(\.revision.status) == [.applied, .pending])
            #expect(try await next.append("pets").number == 3)
            try await follower.see()
            for (node, store) in zip(nodes, [restarted, follower]) {
                #expect(try await store.isSound(3))
                #expect(try node.files == ["manager.db"])
            }
        }
    }

    /// What was refused must not be asked again, nor what is applied be open again: also where nobody counts the label's writes.
    @Test(arguments: [Status.rejected, .applied])
    func `An outcome that an older label does not know is not forgotten by a manager that was started since`(
        _ status: Status
    ) async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            try await leading.append("web")
            try await leading.append("db")
            let old = try #require(swarm.label)
            let outcome = Outcome(revision: 2, group: "db", status: status, error: status == .rejected ? "no" : nil)
            try await leading.store.recordOutcomes([outcome], fence: leading.fence, within: patience)
            let before = try #require(swarm.snapshot)
            swarm.put("infrakit", old)
            let restarted = try await nodes[0].open()
            let next = try await restarted.lead()
            let after = try #require(swarm.snapshot)
            #expect(after.records.map(\.revision.status) == [.pending, status])
            #expect(after.groups == before.groups && after.hash == before.hash)
            #expect(try await next.append("pets").number == 3)
            #expect(
                try await restarted.states(at: nil, within: patience).map(\.group).contains("db")
                    == (status == .applied)
            )
        }
    }

    /// The same of a lease that was released.
    @Test func `A lease that was released is not held again by an older label`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            try await leading.append("web")
            let old = try #require(swarm.label)
            try await leading.store.releaseLease(leading.fence, reason: "stopped", within: patience)
            swarm.put("infrakit", old)
            let restarted = try await nodes[0].open()
            _ = try await restarted.see()
            #expect(restarted.takeoverReason(try await restarted.see()) == "released")
            #expect(try await restarted.lead().lease.epoch == 2)
        }
    }

    @Test func `The Go manager's older label does not come back when ours is removed`() async throws {
        try await SwarmBench.with { swarm, nodes in
            swarm.put("infrakit.specs", try Recorded.text("go-manager-9.label"))
            let leading = try await nodes[0].open().lead()
            try await leading.append("web")
            swarm.put("infrakit", nil)
            _ = try await leading.store.renewLease(leading.fence, within: patience)
            #expect(swarm.snapshot?.groups.keys.sorted() == ["cattle", "pets", "web"])
            #expect(try await leading.append("db").number == 3)
        }
    }

    @Test func `A leader that knows less than others: their copies are kept until they are told what goes on`()
        async throws
    {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let behind = try await nodes[1].open()
            try await leading.append("web")
            try await behind.see()
            try await leading.append("db")
            swarm.put("infrakit", nil)
            swarm.lead("n2")
            // n2 was away for the second revision; n1 has it.
            let next = try await behind.lead("n2/group")
            #expect(swarm.snapshot?.newest == 1)
            let store = leading.store
            for _ in 0..<6 {
                try await store.see()
                #expect(try await store.groups() == ["db", "web"])
            }
            #expect(try await store.copy.replicaInfo(within: patience)?.trouble?.contains("another history") == true)
            // Another revision 2, and nobody who would undo it: in the end the copy follows. Its file stays.
            _ = try await next.append("pets")
            for _ in 0..<6 { try await store.see() }
            #expect(try await store.groups() == ["pets", "web"])
            #expect(try nodes[0].files.count { $0.hasPrefix("manager.db.aside-") } == 1)
        }
    }

    @Test func `The one who knows more leads again: what the other did not know is not lost`() async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let behind = try await nodes[1].open()
            try await leading.append("web")
            try await behind.see()
            try await leading.append("db")
            try await leading.store.releaseLease(leading.fence, reason: "stopped", within: patience)
            swarm.put("infrakit", nil)
            swarm.lead("n2")
            _ = try await behind.lead("n2/group")
            #expect(swarm.snapshot?.newest == 1 && swarm.snapshot?.lease.epoch == 2)
            try await leading.store.see()
            swarm.lead("n1")
            let next = try await leading.store.lead()
            #expect(next.lease.epoch == 3 && swarm.snapshot?.newest == 2)
            #expect(swarm.snapshot?.terms.map(\.manager) == ["n1/group", "n2/group", "n1/group"])
            #expect(try await next.append("pets").number == 3)
            try await behind.see()
            #expect(try await behind.groups() == ["db", "pets", "web"])
            #expect(try nodes[0].files == ["manager.db"] && nodes[1].files == ["manager.db"])
        }
    }

    @Test func `Neither a label nor a copy that can be read is no new swarm`() async throws {
        try await SwarmBench.with { swarm, nodes in
            try await nodes[0].open().lead().append("web")
            let path = nodes[0].configuration.path
            try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: path))
            swarm.put("infrakit", nil)
            for _ in 1...2 {
                let store = try await nodes[0].open()
                let error = try await failure { try await store.lead() }
                #expect(error.code == .conflict && error.message.contains("move that file away"))
                let trouble = try await store.copy.replicaInfo(within: patience)?.trouble
                #expect(trouble?.contains("manager.db.damaged-") == true)
            }
            #expect(swarm.label == nil)
            for name in try nodes[0].files where name.hasPrefix("manager.db.damaged-") {
                try FileManager.default.removeItem(atPath: "\(nodes[0].directory)/\(name)")
            }
            #expect(try await nodes[0].open().lead().append("web").number == 1)
        }
    }

    @Test func `A damaged label that a person removes is written again`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            try await leading.append("web")
            swarm.put("infrakit", "damaged")
            for _ in 0..<3 { #expect(try await failure { try await leading.store.see() }.code == .corrupt) }
            try await leading.store.releaseLease(leading.fence, reason: "damaged", within: patience)
            #expect(swarm.label == "damaged")
            #expect(try await failure { try await leading.store.acquire(.none) }.code == .corrupt)
            swarm.put("infrakit", nil)
            let next = try await leading.store.lead()
            #expect(next.lease.epoch == 2 && swarm.snapshot?.groups.keys.sorted() == ["web"])
            #expect(try await next.append("db").number == 2)
        }
    }

    // MARK: - Another manager on the same node

    @Test func `A second manager on one Engine follows while the first one lives`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let directory = "\(nodes[0].directory)/second"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let second = try await nodes[0].beside(directory).open()
            for _ in 0..<20 {
                let seen = try await second.see()
                #expect(second.takeoverReason(seen) == nil)
                #expect(try await second.acquire(seen, "second/group") == nil)
                #expect(try await leading.store.renewLease(leading.fence, within: patience).epoch == 1)
            }
            #expect(try await leading.append("web").number == 1)
            // What is asked there is passed on, also to a leader on the same node.
            try await second.submit(Self.request("r"), within: patience)
            try await second.see()
            #expect(try await second.request("r", within: patience)?.state == .forwarded)
            // An orderly end is told at once.
            try await leading.store.releaseLease(leading.fence, reason: "stopped", within: patience)
            #expect(second.takeoverReason(try await second.see()) == "released")
            #expect(try await second.lead("second/group").lease.epoch == 2)
        }
    }

    /// After a restart of the host, for instance: the copy names who led before, and whether that one runs cannot be seen.
    @Test(arguments: [
        nil, "{\"Groups\":{}}",
        "{\"Groups\":{\"z\":{\"Plugin\":\"p\",\"Properties\":{\"ID\":\"z\",\"Properties\":{}}}}}",
    ])
    func `One that does not answer is also replaced where the label is lost`(_ json: String?) async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            try await leading.append("web")
            let directory = "\(nodes[0].directory)/second"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let second = try await nodes[0].beside(directory).open()
            try await second.see()
            swarm.put("infrakit", try json.map(Self.foreign))
            var looks = 0
            while second.takeoverReason(try await second.see()) == nil, looks < 20 { looks += 1 }
            #expect(looks < 20)
            let next = try await second.lead("second/group")
            #expect(next.lease.epoch == 2 && swarm.snapshot?.hash(at: 1) != nil)
            #expect(try await next.append("db").number == (json?.contains("z") == true ? 3 : 2))
        }
    }

    @Test func `One that cannot be seen and does not answer is replaced, and does not renew meanwhile`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            try await leading.append("web")
            let directory = "\(nodes[0].directory)/second"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let second = try await nodes[0].beside(directory).open()
            #expect(second.takeoverReason(try await second.see()) == nil)
            #expect(try RequestQueue(label: swarm.spec.label(RequestQueue.label)).questions.count == 0)
            // The second look claims, and asks; the third sees the question, and one after that the silence.
            while second.takeoverReason(try await second.see()) == nil {
                #expect(try RequestQueue(label: swarm.spec.label(RequestQueue.label)).questions.count == 1)
            }
            // The first one is back, and cannot answer: it has not renewed.
            swarm.turn(.refuse(400, "no"))
            let error = try await failure { try await leading.store.renewLease(leading.fence, within: patience) }
            #expect(error.code == .busy && error.message.contains("asks whether this one is alive"))
            let next = try await second.lead("second/group")
            #expect(next.lease.epoch == 2)
            #expect(
                try await failure { try await leading.store.renewLease(leading.fence, within: patience) }.code
                    == .fenced
            )
            #expect(try await next.append("db").number == 2)
        }
    }

    /// Its term had ended, so it did not answer; then it has led anew. That it was silent before says nothing of this term.
    @Test func `One that did not answer in a term before is asked anew`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            try await leading.append("web")
            let directory = "\(nodes[0].directory)/second"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let second = try await nodes[0].beside(directory).open()
            while second.takeoverReason(try await second.see()) == nil {}
            #expect(try await leading.store.lead().lease.epoch == 2)
            for _ in 0..<20 {
                let seen = try await second.see()
                #expect(seen.epoch == 2 && second.takeoverReason(seen) == nil)
                #expect(try await second.acquire(seen, "second/group") == nil)
                #expect(
                    try await leading.store.renewLease(
                        Fence(instance: seen.instance, epoch: 2, manager: seen.holder),
                        within: patience
                    ).epoch == 2
                )
            }
        }
    }
}

extension ReplicatedStore {
    /// Whether the copy has every revision, up to that number.
    fileprivate func isSound(_ newest: Int) async throws -> Bool {
        let found = try await copy.verify(within: patience)
        return found.newest == newest && found.revisions == newest && found.problems.isEmpty
    }
}
