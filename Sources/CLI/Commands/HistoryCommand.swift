internal import ArgumentParser
internal import Diff
internal import Glibc
internal import GroupSPI
internal import Manager
internal import Store
internal import Terminal

/// `infrakit-manager history`: who changed what, when, and how it came out.
struct HistoryCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List revisions, newest first",
        discussion: flowing(
            """
            The current revision is marked with *. Reads only the database; no manager needs to run.

            STATUS is one of:
              pending     stored; the plugin has not confirmed it yet
              applied     the plugin confirmed it
              rejected    the plugin refused it; the groups keep what they had
              superseded  a later revision replaced it before its outcome was known
              partial     the plugin refused some of its groups

            With --path, shows who changed that field, when, from what to what. The path may start with Properties, as
            in a file.

            Examples:
              infrakit-manager history
              infrakit-manager history --group cattle -n 5
              infrakit-manager history --since 24h -o json
              infrakit-manager history --path Allocation.Size
              infrakit-manager history --follow
            """
        )
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, jsonl
    }

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp("Show only revisions that changed this group", valueName: "id"),
        completion: Completions.groups
    )
    var group: Identifier?

    @Option(
        name: .short,
        help: ArgumentHelp("Maximum number of revisions to list (table: 20; json: all)", valueName: "n")
    )
    var number: Int?

    @Option(
        help: ArgumentHelp(
            "Show only revisions since a time (2026-11-22T15:04:05Z) or of a last duration (24h, 7d)",
            valueName: "t"
        )
    )
    var since: String?

    @Option(help: ArgumentHelp("Show only changes of this field, such as Allocation.Size", valueName: "path"))
    var path: PathWord?

    @Flag(help: "Keep running and print new revisions as they are stored")
    var follow = false

    @Option(name: .shortAndLong, help: ArgumentHelp("table, json or jsonl (INFRAKIT_OUTPUT)", valueName: "format"))
    var output = Format.table

    func validate() throws {
        if let number, number < 1 { throw ValidationError("-n must be 1 or more, not \(number)") }
        if follow, output == .json { throw ValidationError("--follow prints table or jsonl, not json") }
        if follow, path != nil { throw ValidationError("--follow and --path cannot be combined") }
    }

    func run(in session: Session) async throws -> ExitStatus {
        var query = HistoryQuery(group: group)
        query.since = try since.map { try Self.time($0, now: session.now()) }
        let store = try await store.openToRead(in: session)
        if let path {
            let field = FieldHistory(path: path.path, store: store)
            let found = try await field.changes(query, limit: limit)
            if found.changes.isEmpty {
                try await requireGroup(store)
                let states = try await store.states(within: commandTimeout)
                guard states.isEmpty || found.isKnown || field.stands(in: states, of: group) else {
                    throw Failure(
                        "no revision\(query.since == nil ? "" : " of that time") has the field \(path.path). A path "
                            + "starts below Properties, such as Allocation.Size; `infrakit-manager show` prints all "
                            + "fields."
                    )
                }
            }
            try write(found.changes, in: session)
            if found.hasMore, output == .table {
                try session.standardOutput("(older changes not shown; -n \(10 * found.changes.count) shows more)\n")
            }
            return .done
        }
        if follow {
            try await follow(query, store, in: session)
        } else if output == .table {
            try await list(query, store, in: session)
        } else {
            try await stream(query, store, in: session)
        }
        return .done
    }

    private var limit: Int? { number ?? (output == .table ? 20 : nil) }

    private func list(_ query: HistoryQuery, _ store: Store, in session: Session) async throws {
        var query = query
        query.limit = limit
        let page = try await store.history(query, within: commandTimeout)
        if page.revisions.isEmpty { try await requireGroup(store) }
        let rows = page.revisions.map { $0.cells(current: page.current) }
        try session.standardOutput(Table(Revision.headings, rows, elastic: [4, 2]).text(width: session.width))
        let rest = page.total - page.revisions.count
        if rest > 0 { try session.standardOutput("(\(rest) older not shown; -n \(page.total) shows all)\n") }
        let retention = try await store.retention(within: commandTimeout)
        if rest == 0, retention.removed > 0, let time = retention.time {
            let age = Timestamp(milliseconds: time).age(at: session.now())
            try session.standardOutput("(\(retention.removed) removed by retention, the last \(age))\n")
        }
    }

    /// Page by page, however long the history is.
    private func stream(_ query: HistoryQuery, _ store: Store, in session: Session) async throws {
        var list = JSONStream(isArray: output == .json, write: session.standardOutput)
        var query = query
        var isEmpty = true
        var rest = limit ?? .max
        while rest > 0 {
            query.limit = min(rest, 500)
            let page = try await store.history(query, within: commandTimeout)
            for revision in page.revisions { try list.append(revision.json(current: page.current)) }
            guard let last = page.revisions.last else { break }
            isEmpty = false
            rest -= page.revisions.count
            query.before = last.number
            if rest > 0 { try await store.letWritersIn(until: .now + commandTimeout) }
        }
        if isEmpty { try await requireGroup(store) }
        try list.end()
    }

    private func write(_ changes: [FieldChange], in session: Session) throws {
        guard output == .table else {
            var list = JSONStream(isArray: output == .json, write: session.standardOutput)
            for change in changes { try list.append(change.json) }
            return try list.end()
        }
        try session.standardOutput(
            Table(FieldChange.headings, changes.map(\.cells), elastic: [5, 2, 4]).text(width: session.width)
        )
    }

    /// The newest ones, oldest first, and under them those that come.
    private func follow(_ query: HistoryQuery, _ store: Store, in session: Session) async throws {
        var query = query
        query.limit = limit ?? 20
        var page = try await store.history(query, within: commandTimeout)
        if page.revisions.isEmpty { try await requireGroup(store) }
        let cells = page.revisions.reversed().map { $0.cells(current: page.current) }
        let table = Table(Revision.headings, cells, elastic: [4, 2])
        let layout = table.layout(width: session.width)
        if output == .table { try session.standardOutput(layout.line(Revision.headings)) }
        var shown = page.revisions.reversed() as [Revision]
        var newest = 0
        // Those that were shown before their outcome was known: it follows in a line of its own.
        var open: Set<Int> = []
        var lastRead = ContinuousClock.now
        while !Task.isCancelled {
            for revision in shown {
                newest = max(newest, revision.number)
                if revision.status == .pending { open.insert(revision.number) } else { open.remove(revision.number) }
                let line =
                    output == .jsonl
                    ? TerminalText(exact: revision.json(current: page.current).raw.text + "\n")
                    : layout.line(revision.cells(current: page.current))
                try session.standardOutput(line)
            }
            shown = []
            try await Task.sleep(for: .seconds(1), clock: .suspending)
            // Nobody has to wait for the next revision to learn that nobody reads it.
            guard session.hasReader() else { throw StreamError(EPIPE) }
            let later = HistoryQuery(group: group, after: newest)
            do throws(StoreError) {
                page = try await store.history(later, within: commandTimeout)
                if page.revisions.contains(where: \.isOpen),
                    let untold = try await store.readerView(within: commandTimeout).untold
                {
                    await AcknowledgedOutcomes.settle(untold, in: store)
                    page = try await store.history(later, within: commandTimeout)
                }
                var settled: [Revision] = []
                for number in open.sorted() {
                    guard let revision = try await store.revision(number, within: commandTimeout) else { continue }
                    if revision.status != .pending { settled.append(revision) }
                }
                shown = settled + page.revisions.reversed()
                lastRead = .now
            } catch {
                // Managers outlive a store that is away for a moment, and so does who looks on.
                guard Self.mayPass(error), .now - lastRead < commandTimeout else { throw error }
            }
        }
    }

    private static func mayPass(_ error: StoreError) -> Bool {
        [.missing, .directoryMissing, .busy, .io, .noAnswer].contains(error.code)
    }

    private func requireGroup(_ store: Store) async throws {
        guard let group else { return }
        let known = try await store.states(within: commandTimeout).map(\.group)
        guard !known.contains(group) else { return }
        throw Failure(
            known.isEmpty
                ? "there is no group '\(group)': the history is empty"
                : "there is no group '\(group)'; groups in the history: \(known.joined(separator: ", "))"
        )
    }

    /// - Returns: milliseconds since 1970.
    static func time(_ text: String, now: Timestamp) throws -> Int {
        if let time = Timestamp(rfc3339: text) { return time.milliseconds }
        if let duration = GoDuration(argument: text) { return now.milliseconds - duration.duration.milliseconds }
        throw Failure(
            "--since must be a time with its zone, such as 2026-11-22T15:04:05Z, or a duration such as 24h or 7d, "
                + "not '\(text)'",
            .usage
        )
    }
}

extension Revision {
    /// Whether the plugin may have agreed to some of it, and that is not stored yet.
    fileprivate var isOpen: Bool { changes.contains { $0.status == .pending && $0.error == nil } }
}

/// A path into a specification, as people type it.
struct PathWord: ExpressibleByArgument {
    let path: JSONPath

    init?(argument: String) {
        guard let path = try? JSONPath(parsing: argument) else { return nil }
        self.path = path
    }
}
