internal import GroupSPI
internal import Store
internal import Terminal

/// What a rollback or a commit came to, group by group.
struct ChangeReport {
    /// Of a rollback, what it went back to.
    let target: Int?
    /// What was stored; nil when nothing had to change.
    let revision: Revision?
    /// The revision that stands, when nothing was stored.
    let current: Int?
    /// Groups that were named and stood as asked already.
    var unchanged: [Identifier] = []
    /// Of an import.
    var redirected: [Redirection] = []

    /// A group that was with one plugin, and is with another now.
    struct Redirection {
        let group, from, to: Identifier
    }

    var status: ExitStatus {
        // It was in effect, and is not any more.
        if isReverted { return .failed }
        return switch revision?.status {
        case .applied, nil: .done
        case .rejected, .partial: .rejected
        // Nobody knows whether it was applied.
        case .pending, .superseded: .pending
        }
    }

    var json: JSON {
        let changes = revision?.changes ?? []
        var members: [JSON.Member] = [.init("revision", .int(revision?.number ?? current))]
        if let target { members.append(.init("target", .int(target))) }
        members += [
            .init("groups", .array(changes.map { .string($0.group) })), .init("changed", .bool(!changes.isEmpty)),
            .init("status", .string((revision?.status ?? .applied).name)), .init("error", .string(revision?.error)),
        ]
        if let revision, changes.count > 1 { members.append(.init("outcomes", revision.outcomes)) }
        if !redirected.isEmpty {
            members.append(
                .init(
                    "redirected",
                    .object(redirected.map { .init($0.group, ["from": .string($0.from), "to": .string($0.to)]) })
                )
            )
        }
        if let confirmation = revision?.confirmation { members.append(.init("confirm", confirmation.json)) }
        return .object(members)
    }

    var text: TerminalText {
        guard let revision else {
            return target.map { "nothing changed: already the same as in revision \($0)\n" }
                ?? "nothing changed: every group already has this specification\n"
        }
        let what = target.map { "rolled back to revision \($0)" } ?? "committed"
        var lines: [TerminalText] = ["revision \(revision.number): \(what), \(revision.status.name)"]
        for change in revision.changes {
            let error = change.error.map { ": \($0)" } ?? ""
            lines.append("  \(Self.words(change, target)): \(change.status.name)\(error)")
        }
        for item in redirected {
            lines.append("  \(item.group): plugin changed from '\(item.from)' to '\(item.to)'")
        }
        for group in unchanged { lines.append("  \(group): unchanged") }
        if revision.status == .pending {
            lines.append(
                "not confirmed by the plugin yet; the leader keeps retrying. See: infrakit-manager history"
            )
        }
        if let confirmation = revision.confirmation, confirmation.state == .waiting {
            lines.append(
                "reverted \(confirmation.deadlineText) unless you run: infrakit-manager confirm \(revision.number)"
            )
        }
        if isReverted {
            lines.append(
                "already reverted: nobody confirmed it in time, counted from when it was stored. See "
                    + "`infrakit-manager history`."
            )
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// A later revision has undone it, because nobody confirmed it in time.
    private var isReverted: Bool { revision?.confirmation?.state == .reverted }

    /// What a change does to its group.
    static func words(_ change: Change, _ target: Int?) -> String {
        switch change.action {
        case .set: target.map { "set \(change.group) as in revision \($0)" } ?? "set \(change.group)"
        case .free:
            target.map { "free \(change.group) (not in revision \($0)); its instances stay" } ?? "free \(change.group)"
        case .destroy: "destroy \(change.group)"
        }
    }
}
