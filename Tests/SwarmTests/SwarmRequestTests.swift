import Glibc
import GroupSPI
import Logging
import Store
import Synchronization
import Testing

@testable import Replication
@testable import Swarm

@Suite("Requests between the nodes of a swarm")
struct SwarmRequestTests {
    private static func request(_ id: String, _ kind: Request.Kind = .stepDown, age: Int = 0) -> Request {
        Request(id: id, kind: kind, author: .tester, time: Store.wallClock() - age, patience: 30_000)
    }

    /// A leader on n1 and a follower on n2, which has looked.
    private static func withTwo(_ body: (StubSwarm, [SwarmBench.Node], Leading, ReplicatedStore) async throws -> Void)
        async throws
    {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let follower = try await nodes[1].open()
            try await follower.see()
            try await body(swarm, nodes, leading, follower)
        }
    }

    private static func mailbox(_ swarm: StubSwarm) throws -> Set<String> {
        try RequestQueue(label: swarm.spec.label(RequestQueue.label)).ids
    }

    private static func carryOut(_ id: String, _ leading: Leading, _ group: Identifier = "web") async throws -> Revision
    {
        try await leading.store.append(.set(group), resolving: .request(id), fence: leading.fence, within: patience)
    }

    // MARK: - There and back

    @Test func `A follower passes on, the leader carries out once, and the answer comes back`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            let request = Self.request("r", .write(.free(id: "web")))
            try await follower.submit(request, within: patience)
            #expect(try await leading.store.waitingRequests(within: patience).isEmpty)
            try await follower.see()
            #expect(try Self.mailbox(swarm) == ["r"])
            #expect(try await follower.request("r", within: patience)?.state == .forwarded)
            try await leading.store.see()
            #expect(try await leading.store.waitingRequests(within: patience) == [request.asked(in: 1)])
            let writes = swarm.writes
            #expect(try await Self.carryOut("r", leading).number == 1)
            // In one update: the revision, the outcome, and the request is gone.
            #expect(swarm.writes == writes + 1)
            #expect(try Self.mailbox(swarm).isEmpty && swarm.snapshot?.settled.map(\.id) == ["r"])
            #expect(try await leading.store.waitingRequests(within: patience).isEmpty)
            #expect(try await failure { try await Self.carryOut("r", leading) }.code == .conflict)
            #expect(swarm.snapshot?.newest == 1)
            try await follower.see()
            let done = try #require(try await follower.request("r", within: patience))
            #expect(done.state == .done && done.revision == 1 && done.answer == nil)
            try await leading.store.answerRequest("r", .success(.plan("p")), fence: leading.fence, within: patience)
            try await follower.see()
            #expect(try await follower.request("r", within: patience)?.answer == .success(.plan("p")))
        }
    }

    @Test func `The leader refuses, notes, or only answers`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await leading.append("web")
            try await follower.see()
            for id in ["no", "mark", "answer"] { try await follower.submit(Self.request(id), within: patience) }
            try await follower.see()
            try await leading.store.see()
            let store = leading.store
            try await store.finishRequest("no", state: .refused, error: "why", fence: leading.fence, within: patience)
            try await store.apply(
                .tag("t", revision: 1, moving: false),
                author: .tester,
                resolving: "mark",
                fence: leading.fence,
                within: patience
            )
            try await store.answerRequest("answer", .success(.ok), fence: leading.fence, within: patience)
            #expect(try Self.mailbox(swarm).isEmpty)
            try await follower.see()
            let no = try await follower.request("no", within: patience)
            #expect(no?.state == .refused && no?.error == "why")
            #expect(try await follower.request("mark", within: patience)?.state == .done)
            #expect(try await follower.request("answer", within: patience)?.answer == .success(.ok))
            #expect(try await follower.copy.tags(within: patience).map(\.name) == ["t"])
        }
    }

    @Test func `Whoever leads no more settles nothing`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await follower.submit(Self.request("r"), within: patience)
            try await follower.see()
            try await leading.store.see()
            let stranger = Fence(instance: "x", epoch: 1, manager: "x")
            let store = leading.store
            for code in [
                try await failure {
                    try await store.finishRequest("r", state: .done, error: nil, fence: stranger, within: patience)
                }.code,
                try await failure {
                    try await store.answerRequest("r", .success(.ok), fence: stranger, within: patience)
                }.code,
                try await failure {
                    try await store.append(.set("a"), resolving: .request("r"), fence: stranger, within: patience)
                }.code,
            ] { #expect(code == .fenced) }
            #expect(try Self.mailbox(swarm) == ["r"] && swarm.snapshot?.settled.isEmpty == true)
        }
    }

    // MARK: - Taking back

    @Test func `Taken back before it was passed on`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await follower.submit(Self.request("r"), within: patience)
            #expect(try await follower.cancelRequest("r", within: patience))
            try await follower.see()
            #expect(try Self.mailbox(swarm).isEmpty)
        }
    }

    @Test func `Taken back after it was passed on`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await follower.submit(Self.request("r"), within: patience)
            try await follower.see()
            try await leading.store.see()
            #expect(try await follower.cancelRequest("r", within: patience) == false)
            try await eventually("cancelled") {
                try await follower.see()
                return try await follower.request("r", within: patience)?.state == .cancelled
            }
            #expect(try Self.mailbox(swarm).isEmpty)
            // The leader has seen it, and comes too late.
            #expect(try await failure { try await Self.carryOut("r", leading) }.code == .conflict)
            #expect(swarm.snapshot?.newest == 0 && swarm.snapshot?.settled.isEmpty == true)
            // Others in the same batch are not held up.
            #expect(try await leading.append("db").number == 1)
        }
    }

    /// The leader settles it between the follower's look and its update.
    @Test func `Taken back at the moment in which the leader takes it up`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await follower.submit(Self.request("r"), within: patience)
            try await follower.see()
            try await leading.store.see()
            #expect(try await follower.cancelRequest("r", within: patience) == false)
            var snapshot = try #require(swarm.snapshot)
            let revision = try snapshot.append(.set("web"), fence: leading.fence, time: Store.wallClock())
            let until = Store.wallClock() + 60_000
            try snapshot.settle(Snapshot.Settled(id: "r", state: .done, revision: revision.number, until: until))
            let text = try Annotation(snapshot).encoded().text
            // The first reading is the look, the second that of the update.
            swarm.before("n2", "GET", "/swarm") {
                swarm.before("n2", "GET", "/swarm") {
                    swarm.put("infrakit", text)
                    swarm.put(RequestQueue.label, "")
                }
            }
            try await follower.see()
            #expect(swarm.snapshot?.newest == 1)
            try await follower.see()
            let request = try #require(try await follower.request("r", within: patience))
            #expect(request.state == .done && request.revision == 1)
        }
    }

    // MARK: - What goes wrong

    @Test func `An update of the requests that is lost is made again`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await follower.submit(Self.request("r"), within: patience)
            swarm.turn(.refuse(400, "no"))
            try await follower.see()
            #expect(try Self.mailbox(swarm).isEmpty)
            #expect(nodes[1].lines.count("requests not passed on") == 1)
            try await follower.see()
            try await follower.see()
            #expect(try Self.mailbox(swarm) == ["r"])
            #expect(nodes[1].lines.count("requests passed on", .info) == 1)
        }
    }

    @Test func `A kind that nobody knows waits`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await follower.submit(Self.request("r"), within: patience)
            let unknown = "{\"ID\":\"new\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"dance\"}"
            swarm.put(RequestQueue.label, try LabelText.encode(Array("{\"Requests\":[\(unknown)]}".utf8)))
            try await follower.see()
            try await leading.store.see()
            #expect(try await leading.store.waitingRequests(within: patience).map(\.id) == ["r"])
            _ = try await Self.carryOut("r", leading)
            #expect(try Self.mailbox(swarm) == ["new"])
        }
    }

    @Test func `Requests that cannot be read keep nobody from the rest`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            swarm.put(RequestQueue.label, "damaged")
            try await follower.submit(Self.request("theirs"), within: patience)
            try await leading.store.submit(Self.request("own"), within: patience)
            try await follower.see()
            try await leading.store.see()
            try await leading.store.see()
            #expect(nodes[0].lines.count("swarm requests unreadable") == 1)
            #expect(try await leading.store.waitingRequests(within: patience).map(\.id) == ["own"])
            #expect(try await Self.carryOut("own", leading).number == 1)
            #expect(try await leading.append("db").number == 2)
            #expect(swarm.spec.label(RequestQueue.label) == "damaged")
            // Whoever asked is told why, at once, and that is true for good.
            let theirs = try #require(try await follower.request("theirs", within: patience))
            #expect(theirs.state == .refused && theirs.error?.contains("'infrakit.requests' is damaged") == true)
            swarm.put(RequestQueue.label, "")
            try await follower.see()
            #expect(try Self.mailbox(swarm).isEmpty)
            try await follower.submit(Self.request("again"), within: patience)
            try await follower.see()
            #expect(try Self.mailbox(swarm) == ["again"])
        }
    }

    @Test func `What does not fit is refused with a sentence, and the others go`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            let noise = (0..<100_000).map { _ in UInt8.random(in: 0...255) }.hexadecimal
            let spec = GroupSpec(id: "g", properties: RawJSON(checked: Array("\"\(noise)\"".utf8)))
            try await follower.submit(Self.request("a"), within: patience)
            try await follower.submit(Self.request("big", .write(.watch(spec))), within: patience)
            try await follower.submit(Self.request("c"), within: patience)
            try await follower.see()
            #expect(try Self.mailbox(swarm) == ["a", "c"])
            let big = try await follower.request("big", within: patience)
            #expect(big?.state == .refused && big?.error?.contains("Send the request on the node that leads") == true)
        }
    }

    @Test func `Nobody leads: requests wait where they were asked`() async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            try await leading.store.releaseLease(leading.fence, reason: "", within: patience)
            let follower = try await nodes[1].open()
            try await follower.submit(Self.request("r"), within: patience)
            for _ in 0..<2 { try await follower.see() }
            #expect(try await follower.request("r", within: patience)?.state == .waiting)
            #expect(try Self.mailbox(swarm).isEmpty)
        }
    }

    // MARK: - The leader ends

    /// The revision is in the label; this node's copy never heard of it, and its requests are still there.
    @Test(arguments: [true, false])
    func `A leader that ends before it told its copy carries nothing out twice`(_ isOwn: Bool) async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            let asked = isOwn ? leading.store : follower
            try await asked.submit(Self.request("r"), within: patience)
            try await follower.see()
            try await leading.store.see()
            // The copy's file is away just then, and there is no place for a new one.
            let path = nodes[0].configuration.path
            swarm.before("n1", "POST", "/swarm/update") {
                rename(path, "\(path).away")
                mkdir("\(path).new", 0o700)
            }
            let error = try await failure { try await Self.carryOut("r", leading) }
            #expect(error.code == .unknownOutcome && error.message.contains("stored in the swarm"))
            #expect(rmdir("\(path).new") == 0 && rename("\(path).away", path) == 0)
            #expect(swarm.snapshot?.newest == 1 && swarm.snapshot?.settled.map(\.id) == ["r"])
            let restarted = try await nodes[0].open()
            let next = try await restarted.lead()
            #expect(try await restarted.waitingRequests(within: patience).isEmpty)
            #expect(try await failure { try await Self.carryOut("r", next) }.code == .conflict)
            #expect(swarm.snapshot?.newest == 1)
            let origin = isOwn ? restarted : follower
            try await origin.see()
            let request = try #require(try await origin.request("r", within: patience))
            #expect(request.state == .done && request.revision == 1)
        }
    }

    @Test func `A leader that ends before its update leaves the request waiting`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open()
            _ = try await store.lead()
            // However long ago by a clock that somebody may have set.
            for (id, age) in [("new", 0), ("old", 600_000), ("ahead", -600_000)] {
                try await store.submit(Self.request(id, age: age), within: patience)
                #expect(try await store.copy.moveRequest(id, from: .waiting, to: .forwarded, within: patience))
            }
            try await store.see()
            let restarted = try await nodes[0].open()
            // An update that hangs could still come, until the swarm has gone on.
            try await restarted.see()
            #expect(try await restarted.request("new", within: patience)?.state == .forwarded)
            let next = try await restarted.lead()
            try await restarted.see()
            // Nothing was written while it was away, so nothing was settled.
            for id in ["new", "old", "ahead"] {
                #expect(try await restarted.request(id, within: patience)?.state == .waiting)
            }
            #expect(try await Self.carryOut("new", next).number == 1)
            #expect(try await restarted.request("new", within: patience)?.state == .done)
        }
    }

    /// Whoever was away does not know what a leader has settled meanwhile, and forgotten since.
    @Test(arguments: [0, 600_000, -600_000])
    func `What may have been settled while this node was away is not asked again`(_ age: Int) async throws {
        try await SwarmBench.with(2) { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let store = try await nodes[1].open()
            try await store.submit(Self.request("r", age: age), within: patience)
            try await store.see()
            try await leading.store.see()
            #expect(try await Self.carryOut("r", leading).number == 1)
            var snapshot = try #require(swarm.snapshot)
            (snapshot.settled, snapshot.sequence) = ([], snapshot.sequence + 1)
            swarm.put("infrakit", try Annotation(snapshot).encoded().text)
            let restarted = try await nodes[1].open()
            for _ in 0..<3 {
                try await restarted.see()
                swarm.put("other", "\(swarm.version)")
            }
            #expect(try await restarted.request("r", within: patience)?.state == .lost)
            #expect(try Self.mailbox(swarm).isEmpty)
        }
    }

    /// The copy of whoever leads next does not know what the one before has settled for others.
    @Test func `A label that is written again from a copy settles nothing a second time`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await follower.submit(Self.request("r"), within: patience)
            try await follower.see()
            try await leading.store.see()
            #expect(try await Self.carryOut("r", leading).number == 1)
            try await leading.store.releaseLease(leading.fence, reason: "stopped", within: patience)
            swarm.put("infrakit", nil)
            let next = try await nodes[0].open().lead()
            #expect(
                swarm.snapshot?.newest == 1 && swarm.snapshot?.settled.isEmpty == true
                    && swarm.snapshot?.settledFrom == 2
            )
            for _ in 0..<3 {
                try await follower.see()
                try await next.append("db")
            }
            #expect(try await follower.request("r", within: patience)?.state == .lost)
            #expect(try Self.mailbox(swarm).isEmpty)
            // Later requests are known again.
            try await follower.submit(Self.request("s"), within: patience)
            try await follower.see()
            #expect(try Self.mailbox(swarm) == ["s"])
            swarm.put(RequestQueue.label, "")
            for _ in 0..<3 {
                try await follower.see()
                swarm.put("other", "\(swarm.version)")
            }
            try await follower.see()
            #expect(try Self.mailbox(swarm) == ["s"])
        }
    }

    /// Else whoever asked would find it nowhere, and it would be carried out a second time.
    @Test func `What an earlier leader has settled is kept, however far behind its clock was`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await follower.submit(Self.request("r"), within: patience)
            try await follower.see()
            try await leading.store.see()
            #expect(try await Self.carryOut("r", leading).number == 1)
            try await leading.store.releaseLease(leading.fence, reason: "stopped", within: patience)
            var snapshot = try #require(swarm.snapshot)
            snapshot.keepSettled(until: Store.wallClock() - 3_600_000)
            swarm.put("infrakit", try Annotation(snapshot).encoded().text)
            let next = try await nodes[0].open().lead()
            #expect(next.lease.epoch == 2 && swarm.snapshot?.settled.map(\.id) == ["r"])
            try await follower.see()
            #expect(try await follower.request("r", within: patience)?.revision == 1)
            #expect(swarm.snapshot?.newest == 1)
        }
    }

    /// Whoever asked on another node tells the new leader that they still wait.
    @Test func `A request names the epoch in which whoever asked was heard of last`() async throws {
        try await Self.withTwo { swarm, nodes, leading, follower in
            try await follower.submit(Self.request("r"), within: patience)
            try await follower.see()
            try await leading.store.releaseLease(leading.fence, reason: "stopped", within: patience)
            let next = try await nodes[0].open().lead()
            try await next.store.see()
            #expect(try await next.store.waitingRequests(within: patience).map(\.epoch) == [1])
            try await follower.see()
            let sight = try await follower.sight(of: Self.request("r"), within: patience)
            #expect(sight.lease.epoch == 2 && sight.request?.epoch == 1)
            try await follower.renewRequest("r", within: patience)
            try await follower.see()
            try await next.store.see()
            #expect(try await next.store.waitingRequests(within: patience).map(\.epoch) == [2])
        }
    }

    @Test func `A look while the leader settles its own request does not offer it again`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open(.testing(look: patience, request: .seconds(6)))
            let leading = try await store.lead()
            try await store.submit(Self.request("r"), within: patience)
            let writes = swarm.writes
            swarm.turn(.heldThenHang)
            async let revision = Self.carryOut("r", leading)
            try await eventually("an update") { swarm.writes > writes }
            try await store.see()
            #expect(try await store.request("r", within: patience)?.state == .forwarded)
            #expect(try await store.waitingRequests(within: patience).isEmpty)
            swarm.applyHeld()
            #expect(try await revision.number == 1)
            #expect(try await store.request("r", within: patience)?.state == .done)
            #expect(swarm.snapshot?.newest == 1)
        }
    }

    @Test func `A request whose revision was refused by the label waits again`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            try await leading.store.submit(Self.request("r"), within: patience)
            // It is tried once more, with less of the past.
            swarm.turn(.refuse(500, "raft message is too large"), .refuse(500, "raft message is too large"))
            #expect(try await failure { try await Self.carryOut("r", leading) }.code == .tooLarge)
            #expect(try await leading.store.request("r", within: patience)?.state == .waiting)
            #expect(try await Self.carryOut("r", leading).number == 1)
        }
    }

    @Test func `A revision that nobody confirmed is undone once`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let leading = try await nodes[0].open().lead()
            let store = leading.store
            let draft = RevisionDraft(
                author: .tester,
                operation: .commit,
                changes: [.set("web")],
                confirmWithin: 1
            )
            _ = try await store.append(draft, fence: leading.fence, within: patience)
            try await eventually("its time is over") {
                try await store.expiredConfirmations(within: patience).map(\.revision) == [1]
            }
            let undo = RevisionDraft(
                author: .tester,
                operation: .rollback,
                changes: [Change(group: "web", action: .free)]
            )
            _ = try await store.append(undo, resolving: .expiry(1), fence: leading.fence, within: patience)
            let error = try await failure {
                try await store.append(undo, resolving: .expiry(1), fence: leading.fence, within: patience)
            }
            #expect(error.code == .conflict && swarm.snapshot?.newest == 2)
            #expect(try await store.revision(1, within: patience)?.confirmation?.state == .reverted)
            let late = try await failure {
                try await store.overtakeConfirmation(of: 1, fence: leading.fence, within: patience)
            }
            #expect(late.code == .conflict)
        }
    }
}

extension Request {
    fileprivate func asked(in epoch: Int) -> Request {
        Request(id: id, kind: kind, author: author, message: message, time: time, patience: patience, epoch: epoch)
    }
}
