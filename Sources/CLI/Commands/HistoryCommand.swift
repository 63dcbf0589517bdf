internal import ArgumentParser
internal import Diff
internal import GroupSPI
internal import Manager
internal import Store
internal import Terminal

/// `infrakit-manager history`: who changed what, when, and how it came out.
struct HistoryCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List the revisions, newest first",
        discussion: """
            The current revision is marked with *. Needs no running manager, only the database.

            STATUS is one of:
              pending     stored; the plugin has not confirmed it yet
              applied     the plugin confirmed it
              rejected    the plugin refused it; the groups keep what they had
              superseded  a later revision overtook it before its outcome was known
              partial     the plugin refused some of its groups

            With --path: who changed that field of the specifications, when, from what to what.

            Examples:
              infrakit-manager history
              infrakit-manager history --group cattle -n 5
              infrakit-manager history --since 24h -o json
              infrakit-manager history --path Allocation.Size
              infrakit-manager history --follow
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, jsonl
    }

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp("Only revisions that changed this group", valueName: "id"),
        completion: Completions.groups
    )
    var group: String?

    @Option(name: .short, help: ArgumentHelp("At most so many (table: 20; json: all)", valueName: "n"))
    var number: Int?

    @Option(help: ArgumentHelp("Only since a time (2026-11-22T15:04:05Z) or for a duration (24h)", valueName: "t"))
    var since: String?

    @Option(help: ArgumentHelp("Only changes of this field, such as Allocation.Size", valueName: "path"))
    var path: PathWord?

    @Flag(help: "Go on with new revisions as they come")
    var follow = false

    @Option(name: .shortAndLong, help: ArgumentHelp("table, json or jsonl (INFRAKIT_OUTPUT)", valueName: "format"))
    var output = Format.table

    func validate() throws {
        if let number, number < 1 { throw ValidationError("-n is 1 or more, not \(number)") }
        if follow, output == .json { throw ValidationError("--follow writes table or jsonl, not one json document") }
        if follow, path != nil { throw ValidationError("--follow shows whole revisions: leave --path out") }
    }

    func run(in session: Session) async throws -> ExitStatus {
        var query = HistoryQuery(group: group)
        query.since = try since.map { try Self.time($0, now: session.now()) }
        let store = try await store.openToRead(in: session)
        if let path {
            let changes = try await FieldHistory(path: path.path, store: store).changes(query, limit: limit)
            if changes.isEmpty { try await requireGroup(store) }
            write(changes, in: session)
            return .done
        }
        let newest = try await output == .table ? list(query, store, in: session) : stream(query, store, in: session)
        if follow { try await follow(store, after: newest ?? 0, in: session) }
        return .done
    }

    private var limit: Int? { number ?? (output == .table ? 20 : nil) }

    /// - Returns: the newest revision that was shown.
    private func list(_ query: HistoryQuery, _ store: Store, in session: Session) async throws -> Int? {
        var query = query
        query.limit = limit
        let page = try await store.history(query, within: commandTimeout)
        if page.revisions.isEmpty { try await requireGroup(store) }
        let rows = page.revisions.map { $0.cells(current: page.current) }
        session.standardOutput(Table(Revision.headings, rows, elastic: [4, 2, 3]).text(width: session.width))
        let rest = page.total - page.revisions.count
        if rest > 0 { session.standardOutput("(\(rest) older not shown; -n \(page.total) shows all)\n") }
        let retention = try await store.retention(within: commandTimeout)
        if rest == 0, retention.removed > 0, let time = retention.time {
            let age = Timestamp(milliseconds: time).age(at: session.now())
            session.standardOutput("(\(retention.removed) were removed by retention, the last ones \(age))\n")
        }
        return page.revisions.first?.number
    }

    /// Page by page, however long the history is.
    private func stream(_ query: HistoryQuery, _ store: Store, in session: Session) async throws -> Int? {
        var list = JSONStream(isArray: output == .json, write: session.standardOutput)
        var query = query
        var newest: Int?
        var rest = limit ?? .max
        while rest > 0 {
            query.limit = min(rest, 500)
            let page = try await store.history(query, within: commandTimeout)
            for revision in page.revisions { list.append(revision.json(current: page.current)) }
            guard let last = page.revisions.last else { break }
            newest = newest ?? page.revisions.first?.number
            rest -= page.revisions.count
            query.before = last.number
        }
        if newest == nil { try await requireGroup(store) }
        list.end()
        return newest
    }

    private func write(_ changes: [FieldChange], in session: Session) {
        guard output == .table else {
            var list = JSONStream(isArray: output == .json, write: session.standardOutput)
            for change in changes { list.append(change.json) }
            return list.end()
        }
        session.standardOutput(
            Table(FieldChange.headings, changes.map(\.cells), elastic: [4, 2]).text(width: session.width)
        )
    }

    /// Oldest first, as they come.
    private func follow(_ store: Store, after newest: Int, in session: Session) async throws {
        var newest = newest
        while !Task.isCancelled {
            try await Task.sleep(for: .seconds(1), clock: .suspending)
            let query = HistoryQuery(group: group, after: newest)
            let page = try await store.history(query, within: commandTimeout)
            for revision in page.revisions.reversed() {
                newest = revision.number
                let line =
                    output == .jsonl
                    ? revision.json(current: page.current).raw.text
                    : revision.cells(current: page.current).joined(separator: "  ")
                session.standardOutput(line + "\n")
            }
        }
    }

    private func requireGroup(_ store: Store) async throws {
        guard let group else { return }
        let known = try await store.states(within: commandTimeout).map(\.group)
        guard !known.contains(group) else { return }
        throw Failure(
            known.isEmpty
                ? "there is no group '\(group)': the history is empty"
                : "there is no group '\(group)'; the history knows: \(known.joined(separator: ", "))"
        )
    }

    /// - Returns: milliseconds since 1970.
    static func time(_ text: String, now: Timestamp) throws -> Int {
        if let time = Timestamp(rfc3339: text) { return time.milliseconds }
        if let duration = GoDuration(argument: text) { return now.milliseconds - duration.duration.milliseconds }
        throw Failure(
            "--since takes a time with its zone, such as 2026-11-22T15:04:05Z, or a duration such as 24h; not '\(text)'",
            .usage
        )
    }
}

/// A path into a specification, as people type it.
struct PathWord: ExpressibleByArgument {
    let path: JSONPath

    init?(argument: String) {
        guard let path = try? JSONPath(parsing: argument) else { return nil }
        self.path = path
    }
}
