import GroupSPI
import Testing

@testable import CLI
@testable import Store

extension Author {
    static let ann = Author(user: "ann", uid: 1000, host: "h1")
    static let bob = Author(user: "bob", uid: 1001, host: "h2")
    static let nobody = Author(user: nil, uid: 4711, host: "h2")
}

extension Change {
    static func set(
        _ group: Identifier,
        _ properties: String,
        plugin: Identifier = "group-stateless",
        _ status: Status = .applied,
        error: String? = nil
    ) -> Change {
        Change(
            group: group,
            action: .set(RawJSON(checked: Array(properties.utf8)), plugin: plugin),
            status: status,
            error: error
        )
    }

    static func free(_ group: Identifier, _ status: Status = .applied) -> Change {
        Change(group: group, action: .free, status: status)
    }

    static func destroy(_ group: Identifier) -> Change { Change(group: group, action: .destroy, status: .applied) }
}

extension Scene {
    static func cattle(_ size: Int, _ image: String) -> String {
        #"{"Allocation":{"Size":\#(size)},"Instance":{"Plugin":"instance-file","Properties":{"Image":"\#(image)","Tags":["a","b"]}}}"#
    }

    /// Kept as the user has written them: with blanks, and a number that no other spelling stands for.
    static let pets = "{ \"Allocation\" : { \"LogicalIDs\" : [\"p1\", \"p2\"] },\n  \"Weight\": 1.50 }"

    /// Twelve revisions with everything that a history can show.
    func script() async throws {
        let first = try await lead("n1/group", minute: 0, reason: "")
        try await append(1, [.set("cattle", Self.cattle(3, "app:1"))], fence: first)
        try await append(2, [.set("pets", Self.pets)], .watch, author: .bob, fence: first)
        try await append(3, [.set("cattle", Self.cattle(5, "app:1"))], message: "scale up", fence: first)
        try await append(
            4,
            [.set("cattle", Self.cattle(5, "app:9"), .rejected, error: "no such image: app:9")],
            message: "new image",
            fence: first
        )
        try await append(
            5,
            [
                .set("db", #"{"Allocation":{"Size":1}}"#, .rejected, error: "no room for db"),
                .set("web", #"{"Allocation":{"Size":2}}"#),
            ],
            .import,
            message: "imported from global.config",
            author: .bob,
            fence: first
        )
        try await append(6, [.set("pets", Self.pets, plugin: "group-classic")], .update, author: .nobody, fence: first)
        try await append(7, [.free("web")], .free, author: .bob, fence: first)
        let second = try await lead("n2/group", minute: 8, reason: "the lease ran out: its holder is gone")
        try await append(
            8,
            [.set("cattle", Self.cattle(3, "app:1")), .free("pets")],
            .rollback,
            target: 1,
            message: "app:1 \u{201C}leaks\u{201D}\nless",
            fence: second
        )
        let many = (1...6).map { Change.set("g\($0)", #"{"Allocation":{"Size":\#($0)}}"#) }
        try await append(
            9,
            many,
            message: "six groups — naïvely, and with a message that is longer than most",
            fence: second
        )
        try await append(10, [.destroy("g6")], .destroy, fence: second)
        try await append(
            11,
            [.set("cattle", Self.cattle(7, "app:2"))],
            message: "try app:2",
            confirm: 600_000,
            fence: second
        )
        // The plugin did not answer, and the user was told so.
        let unanswered = Change.set("g1", #"{"Allocation":{"Size":10}}"#, .pending, error: "no answer within 30s")
        try await append(12, [unanswered], author: .bob, fence: second)
        let tags: [(Identifier, Int, Int)] = [("before-upgrade", 3, 20), ("stable", 8, 21), ("v1.0", 3, 22)]
        for (name, revision, minute) in tags {
            try await store.writer.run(within: patience) { connection in
                try connection.setTag(name, to: revision, author: .ann, moving: false, time: Scene.time(minute))
            }
        }
        try await renew(second)
    }

    /// Takes the lease over. An id that no replica may have is written as by a program that knew no such rule.
    func lead(
        _ id: Identifier,
        minute: Int,
        reason: String,
        bootID: String = "b",
        socket: String? = nil
    ) async throws -> Fence {
        let candidate = Candidate(
            id: try #require(ReplicaID(id) ?? ReplicaID("unruly")),
            instance: "instance of \(id)",
            process: ProcessIdentity(host: "n", bootID: bootID, pidNamespace: "ns", pid: 42, startTime: 9),
            socket: socket ?? "/run/\(id)",
            pluginSocket: "/run/group-stateless",
            guardLock: "/run/\(id).guard"
        )
        let watched = try await store.lease(within: patience)
        let lease = try await store.writer.run(within: patience) { connection in
            let lease = try connection.acquireLease(
                candidate,
                watched: (watched.epoch, watched.sequence),
                ttl: 9000,
                reason: reason,
                time: Scene.time(minute)
            )
            if let lease, candidate.id.name != id {
                try connection.execute("UPDATE lease SET holder = ?", .text(id))
                try connection.execute(
                    "UPDATE leadership SET manager = ? WHERE epoch = ?",
                    .text(id),
                    .int(lease.epoch)
                )
            }
            return lease
        }
        guard let lease else { throw StoreError(.conflict, "the lease has changed") }
        return Fence(instance: candidate.instance, epoch: lease.epoch, manager: id)
    }

    func renew(_ fence: Fence) async throws {
        _ = try await store.writer.run(within: patience) { try $0.renewLease(fence, time: Scene.time(60)) }
    }

    /// The fence of whoever leads by the script.
    func fence() async throws -> Fence {
        let lease = try await store.lease(within: patience)
        return Fence(instance: lease.instance, epoch: lease.epoch, manager: lease.holder)
    }

    /// Appends a revision at the minute of its number, with a token that is always the same.
    @discardableResult
    func append(
        _ number: Int,
        _ changes: [Change],
        _ operation: Operation = .commit,
        target: Int? = nil,
        message: String = "",
        author: Author = .ann,
        confirm: Int? = nil,
        resolving request: String? = nil,
        fence: Fence
    ) async throws -> Revision {
        let draft = RevisionDraft(
            author: author,
            operation: operation,
            target: target,
            message: message,
            changes: changes,
            confirmWithin: confirm,
            token: [UInt8](repeating: UInt8(number), count: 16)
        )
        return try await store.writer.run(within: patience) { connection in
            let revision = try connection.append(draft, fence: fence, time: Scene.time(number))
            if let request { try connection.takeUpRequest(request, revision: revision.number) }
            return revision
        }
    }

    /// Removes revisions, as a leader with this limit does.
    func prune(limit: Int) async throws {
        let fence = try await fence()
        _ = try await store.writer.run(within: patience) { connection in
            try connection.prune(
                RetentionPolicy(limit: limit),
                after: 0,
                count: 200,
                fence: fence,
                time: Scene.time(30)
            )
        }
    }

    // MARK: - A leader that answers requests

    /// What the leader does with a request.
    enum Reply: Sendable {
        case revision([Change], confirm: Int? = nil)
        case nothingToDo
        case refusal(String)
        /// What the plugin says of each group.
        case plans(@Sendable (Identifier) -> Result<String, GroupError>)
    }

    /// Runs a verb whose requests a leader answers, which knows what to say to each.
    func withLeader(
        _ reply: @escaping @Sendable (Request) -> Reply,
        _ body: () async throws -> Finished
    ) async throws -> Finished {
        let fence = try await fence()
        let leader = Task {
            while !Task.isCancelled {
                for request in try await store.waitingRequests(within: patience) {
                    try await answer(request, reply(request), fence)
                }
                try await Task.sleep(for: .milliseconds(5), clock: .suspending)
            }
        }
        let finished: Finished
        do {
            finished = try await body()
        } catch {
            leader.cancel()
            _ = await leader.result
            throw error
        }
        leader.cancel()
        if case .failure(let error) = await leader.result, !(error is CancellationError) { throw error }
        return finished
    }

    private func answer(_ request: Request, _ reply: Reply, _ fence: Fence) async throws {
        switch reply {
        case .revision(let changes, let confirm):
            var (operation, target) = (Operation.commit, Int?.none)
            if case .rollback(let to, _, _) = request.kind { (operation, target) = (.rollback, to) }
            if case .import = request.kind { operation = .import }
            let next = try await store.summary(within: patience).newest + 1
            do {
                try await append(
                    next,
                    changes,
                    operation,
                    target: target,
                    message: request.message,
                    confirm: confirm,
                    resolving: request.id,
                    fence: fence
                )
            } catch let error as StoreError where error.code == .conflict {
                // Taken back meanwhile.
            }
        case .nothingToDo:
            try await store.finishRequest(request.id, state: .done, error: nil, fence: fence, within: patience)
        case .refusal(let words):
            try await store.finishRequest(request.id, state: .refused, error: words, fence: fence, within: patience)
        case .plans(let words):
            guard case .preview(let specs) = request.kind else { return }
            let plans = PlannedChanges(specs.map { PlannedChanges.Plan(group: $0.id, words: words($0.id)) })
            try await store.answerRequest(request.id, .success(plans.reply), fence: fence, within: patience)
        }
    }
}
