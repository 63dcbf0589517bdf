internal import Diff
internal import GroupSPI
internal import Store
internal import Terminal

/// One change of one field of a group's specification.
struct FieldChange {
    let path: JSONPath
    let group: Identifier
    let revision: Revision
    /// Nil where there was none.
    let from: RawJSON?
    let to: RawJSON?

    static let headings = ["REV", "TIME", "AUTHOR", "OP", "GROUP", "FROM", "TO"]

    var cells: [String] {
        [
            "\(revision.number)", Timestamp(milliseconds: revision.time).local, revision.author.text,
            revision.operation.name, group.text, Self.short(from), Self.short(to),
        ]
    }

    /// `from` and `to` are left out where there was no such field.
    var json: JSON {
        var members: [JSON.Member] = [
            .init("revision", .int(revision.number)),
            .init("time", .string(Timestamp(milliseconds: revision.time).rfc3339)),
            .init("author", revision.author.json), .init("operation", .string(revision.operation.name)),
            .init("group", .string(group)), .init("path", .string("\(path)")),
        ]
        if let from { members.append(.init("from", .raw(from))) }
        if let to { members.append(.init("to", .raw(to))) }
        return .object(members)
    }

    /// On one line, and not a whole specification.
    private static func short(_ value: RawJSON?) -> String {
        guard let value else { return "-" }
        let line = value.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count > 40 ? line.prefix(39) + "…" : line
    }
}

/// Follows one field of the specifications through the history.
struct FieldHistory {
    let path: JSONPath
    let store: Store

    /// - Parameter limit: at most so many.
    /// - Returns: newest first. What the plugin refused has changed nothing and is left out; so is what is older than the
    ///   complete part of the history, as nobody knows what it was changed from.
    func changes(_ query: HistoryQuery, limit: Int?) async throws -> [FieldChange] {
        var query = query
        query.after = try await store.retention(within: commandTimeout).whole - 1
        var found: [FieldChange] = []
        while true {
            // Few transactions, and short ones: a leader has to write in between.
            let page = try await store.historyWithPast(query, within: commandTimeout)
            for (revision, before) in page {
                for change in revision.changes where change.status != .rejected {
                    guard query.group == nil || change.group == query.group else { continue }
                    if let change = self.change(revision, change, before: before[change.group]) { found.append(change) }
                    if found.count == limit { return found }
                }
            }
            guard let last = page.last else { return found }
            query.before = last.revision.number
            try await store.letWritersIn(until: .now + commandTimeout)
        }
    }

    /// - Returns: nil when the revision has left the field as it was.
    private func change(_ revision: Revision, _ change: Change, before: GroupState?) -> FieldChange? {
        let (from, to) = (before.flatMap { value($0.change.action) }, value(change.action))
        guard !JSONDiff(before: from, after: to).changes.isEmpty else { return nil }
        return FieldChange(path: path, group: change.group, revision: revision, from: from?.raw, to: to?.raw)
    }

    private func value(_ action: Change.Action) -> JSONView? {
        guard case .set(let properties, _) = action else { return nil }
        return path.value(in: JSONView(properties))
    }
}
