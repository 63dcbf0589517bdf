internal import ArgumentParser
internal import GroupSPI
internal import Manager
internal import Store

/// `infrakit-manager rollback <rev>`: a new revision that equals an earlier one, applied by the leader.
struct RollbackCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Restore the configuration of an earlier revision, as a new revision",
        discussion: """
            Works from any host that has the database: the leader carries it out. Groups that the earlier revision did
            not have are freed, never destroyed. Nothing in the history is lost.

            Examples:
              infrakit-manager rollback 12
              infrakit-manager rollback 12 --group cattle --message "v2 leaks memory"
              infrakit-manager rollback 12 --dry-run
              infrakit-manager rollback 12 --expect-current 15 --wait 1m
            """
    )

    @Argument(help: "The revision whose configuration to restore")
    var revision: Int

    @Option(help: ArgumentHelp("Only this group", valueName: "id"))
    var group: String?

    @Option(help: ArgumentHelp("Why, for the history", valueName: "text"))
    var message = ""

    @Option(help: ArgumentHelp("Refuse unless this revision is the current one", valueName: "rev"))
    var expectCurrent: Int?

    @Flag(help: "Only say what would change")
    var dryRun = false

    @Option(help: ArgumentHelp("How long to wait for the outcome", valueName: "duration"))
    var wait = GoDuration(.seconds(30))

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func run(in session: Session) async throws -> ExitStatus {
        let store = store.open(in: session)
        let target = try await RevisionNumber.check(revision, store)
        try await requireGroup(target, store)
        if dryRun { return try await plan(target, store, in: session) }
        let request = Request(
            id: RequestWait.identifier(),
            kind: .rollback(to: target, group: group, expectedCurrent: expectCurrent),
            author: .ofProcess(),
            message: message
        )
        switch try await RequestWait(store: store, timeout: wait.duration).run(request) {
        case .answered(let answer) where answer.state == .refused:
            throw Failure(answer.error ?? "the leader refused it")
        case .answered(let answer), .underWay(let answer):
            return try await report(answer.revision, target, store, in: session)
        case .nobody:
            throw Failure(
                "nobody leads: no manager took the rollback up within \(wait), and nothing was changed",
                .noLeader
            )
        }
    }

    private func requireGroup(_ target: Int, _ store: Store) async throws {
        guard let group else { return }
        let then = try await store.states(at: target, within: commandTimeout).map(\.group)
        let now = try await store.states(within: commandTimeout).map(\.group)
        guard !then.contains(group), !now.contains(group) else { return }
        throw Failure("there is no group '\(group)'; there are: \(Set(now + then).sorted().joined(separator: ", "))")
    }

    private func plan(_ target: Int, _ store: Store, in session: Session) async throws -> ExitStatus {
        let summary = try await store.summary(within: commandTimeout)
        if let expectCurrent, expectCurrent != summary.current {
            throw Failure("the current revision is \(summary.current ?? 0), not \(expectCurrent)")
        }
        let changes = RollbackPlan.changes(
            from: try await store.states(within: commandTimeout),
            to: try await store.states(at: target, within: commandTimeout),
            group: group
        )
        switch format.output {
        case .json:
            session.standardOutput(
                JSON.object([
                    .init("target", .int(target)), .init("changed", .bool(!changes.isEmpty)),
                    .init("groups", .array(changes.map { .string($0.group) })), .init("dryRun", true),
                ]).indented + "\n"
            )
        case .table:
            if changes.isEmpty { session.standardOutput("already stands as in revision \(target)\n") }
            for change in changes {
                session.standardOutput("would \(Self.words(change, target))\n")
            }
        }
        return .done
    }

    private static func words(_ change: Change, _ target: Int) -> String {
        switch change.action {
        case .set: "set \(change.group) as in revision \(target)"
        case .free: "free \(change.group) (not in revision \(target)); its instances stay"
        case .destroy: "destroy \(change.group)"
        }
    }

    private func report(_ number: Int?, _ target: Int, _ store: Store, in session: Session) async throws -> ExitStatus {
        guard let number, let revision = try await store.revision(number, within: commandTimeout) else {
            let current = try await store.summary(within: commandTimeout).current
            write(current, target, [], .applied, nil, nil, in: session)
            return .done
        }
        write(number, target, revision.changes, revision.status, revision.error, revision, in: session)
        return switch revision.status {
        case .applied: .done
        case .rejected, .partial: .rejected
        case .pending: .pending
        }
    }

    private func write(
        _ number: Int?,
        _ target: Int,
        _ changes: [Change],
        _ status: Status,
        _ error: String?,
        _ revision: Revision?,
        in session: Session
    ) {
        switch format.output {
        case .json:
            var members: [JSON.Member] = [
                .init("revision", .int(number)), .init("target", .int(target)),
                .init("groups", .array(changes.map { .string($0.group) })), .init("changed", .bool(!changes.isEmpty)),
                .init("status", .string(status.name)), .init("error", .string(error)),
            ]
            if let revision, changes.count > 1 { members.append(.init("outcomes", revision.outcomes)) }
            session.standardOutput(JSON.object(members).indented + "\n")
        case .table:
            guard !changes.isEmpty else {
                return session.standardOutput("nothing changed: already stands as in revision \(target)\n")
            }
            session.standardOutput("revision \(number ?? 0): rolled back to revision \(target), \(status.name)\n")
            for change in changes {
                let error = change.error.map { ": \($0)" } ?? ""
                session.standardOutput("  \(Self.words(change, target)): \(change.status.name)\(error)\n")
            }
            if status == .pending {
                session.standardOutput(
                    "the plugin has not confirmed it yet; the leader keeps at it, and `infrakit-manager history` tells\n"
                )
            }
        }
    }
}
