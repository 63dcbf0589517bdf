internal import GroupSPI
internal import Store
internal import Terminal

extension Revision {
    /// The shape of `history -o json`. Fields may be added, never renamed.
    func json(current: Int?) -> JSON {
        var members: [JSON.Member] = [
            .init("revision", .int(number)),
            .init("parent", .int(parent)),
            .init("time", .string(Timestamp(milliseconds: time).rfc3339)),
            .init("epoch", .int(epoch)),
            .init("manager", .string(manager)),
            .init("author", author.json),
            .init("operation", .string(operation.name)),
            .init("groups", .array(groups.map { .string($0) })),
            .init("message", .string(message)),
            .init("status", .string(status.name)),
            .init("error", .string(error)),
            .init("current", .bool(number == current)),
            .init("hash", .string(hash.hexadecimal)),
        ]
        if let target { members.append(.init("target", .int(target))) }
        if changes.count > 1 { members.append(.init("outcomes", outcomes)) }
        if !tags.isEmpty { members.append(.init("tags", .array(tags.map { .string($0) }))) }
        if let confirmation { members.append(.init("confirm", confirmation.json)) }
        if let acknowledgement { members.append(.init("acknowledged", acknowledgement.json)) }
        return .object(members)
    }

    /// How each group fared.
    var outcomes: JSON {
        .object(
            changes.map { change in
                .init(change.group, ["status": .string(change.status.name), "error": .string(change.error)])
            }
        )
    }

    static let headings = ["REV", "TIME", "AUTHOR", "OP", "GROUPS", "STATUS", "MESSAGE"]

    /// One line of the history's table; `*` marks the current revision.
    func cells(current: Int?) -> [String] {
        let name = tags.isEmpty ? "" : "[\(tags.joined(separator: ", "))]"
        let unconfirmed =
            confirmation?.state == .waiting ? "(reverted \(confirmation?.deadlineText ?? "") unless confirmed)" : ""
        let words = [message, error ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
        let acknowledged = acknowledgement.map { "(\($0.text))" } ?? ""
        let note = [name, words, unconfirmed, acknowledged].filter { !$0.isEmpty }.joined(separator: " ")
        return [
            "\(number)\(number == current ? "*" : "")", Timestamp(milliseconds: time).local, author.text, operationText,
            Self.shorten(groups), status.name, note.split(whereSeparator: \.isNewline).joined(separator: " "),
        ]
    }

    /// `rollback to 30`, `commit`.
    var operationText: String { target.map { "\(operation.name) to \($0)" } ?? operation.name }

    /// A revision of a thousand groups still fits a line.
    private static func shorten(_ groups: [Identifier]) -> String {
        guard groups.count > 4 else { return groups.joined(separator: ",") }
        return groups.prefix(3).joined(separator: ",") + " and \(groups.count - 3) more"
    }
}

extension Author {
    var json: JSON {
        var members: [JSON.Member] = [
            .init("user", .string(user)), .init("uid", .int(uid)), .init("host", .string(host)),
        ]
        if let login { members.append(.init("login", .string(login))) }
        return .object(members)
    }

    /// `root@host`, or `alice (root)@host`.
    var text: String {
        let user = "\(user ?? uid.map { "uid \($0)" } ?? "-")"
        return "\(login.map { "\($0) (\(user))" } ?? user)@\(host)"
    }
}
