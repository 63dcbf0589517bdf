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
            revision.operationText, group.text, Self.short(from), Self.short(to),
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

    struct Result {
        let changes: [FieldChange]
        /// There are older ones than the limit has let through.
        let hasMore: Bool
        /// Some revision that was looked at has the field.
        let isKnown: Bool
    }

    /// - Parameter limit: at most so many.
    /// - Returns: newest first. What the plugin refused has changed nothing and is left out; so is what is older than the
    ///   complete part of the history, as nobody knows what it was changed from.
    func changes(_ query: HistoryQuery, limit: Int?) async throws -> Result {
        var query = query
        query.after = try await store.retention(within: commandTimeout).whole - 1
        var found: [FieldChange] = []
        var isKnown = false
        while true {
            // Few transactions, and short ones: a leader has to write in between.
            let page = try await store.historyWithPast(query, within: commandTimeout)
            for (revision, before) in page {
                for change in revision.changes where change.status != .rejected {
                    guard query.group == nil || change.group == query.group else { continue }
                    let (from, to) = (before[change.group].flatMap { value($0.change.action) }, value(change.action))
                    isKnown = isKnown || from != nil || to != nil
                    guard !JSONDiff(before: from, after: to).changes.isEmpty else { continue }
                    if found.count == limit { return Result(changes: found, hasMore: true, isKnown: true) }
                    found.append(
                        FieldChange(path: path, group: change.group, revision: revision, from: from?.raw, to: to?.raw)
                    )
                }
            }
            guard let last = page.last else { return Result(changes: found, hasMore: false, isKnown: isKnown) }
            query.before = last.revision.number
            try await store.letWritersIn(until: .now + commandTimeout)
        }
    }

    /// Whether the configuration has the field now.
    func stands(in states: [GroupState], of group: Identifier?) -> Bool {
        states.contains { (group == nil || $0.group == group) && value($0.change.action) != nil }
    }

    /// The path below `Properties`, where it begins with that: so the field stands in the user's own file.
    private var inFile: JSONPath? {
        guard case .name(let name)? = path.components.first, name.text.lowercased() == "properties" else { return nil }
        return path.components.dropFirst().reduce(JSONPath.root) { $0.appending($1) }
    }

    private func value(_ action: Change.Action) -> JSONView? {
        guard case .set(let properties, _) = action else { return nil }
        let spec = JSONView(properties)
        return path.value(in: spec) ?? inFile?.value(in: spec)
    }
}
