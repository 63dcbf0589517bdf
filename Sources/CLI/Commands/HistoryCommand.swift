internal import ArgumentParser
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

            Examples:
              infrakit-manager history
              infrakit-manager history --group cattle -n 5
              infrakit-manager history --since 24h -o json
              infrakit-manager history --follow
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, jsonl
    }

    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("Only revisions that changed this group", valueName: "id"))
    var group: String?

    @Option(name: .short, help: ArgumentHelp("At most so many (table: 20; json: all)", valueName: "n"))
    var number: Int?

    @Option(help: ArgumentHelp("Only since a time (2026-11-22T15:04:05Z) or for a duration (24h)", valueName: "t"))
    var since: String?

    @Flag(help: "Go on with new revisions as they come")
    var follow = false

    @Option(name: .shortAndLong, help: ArgumentHelp("table, json or jsonl (INFRAKIT_OUTPUT)", valueName: "format"))
    var output = Format.table

    func validate() throws {
        if let number, number < 1 { throw ValidationError("-n is 1 or more, not \(number)") }
        if follow, output == .json { throw ValidationError("--follow writes table or jsonl, not one json document") }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let store = store.open(in: session)
        var query = HistoryQuery(group: group, limit: number ?? (output == .table ? 20 : nil))
        query.since = try since.map { try Self.time($0, now: session.now()) }
        let page = try await store.history(query, within: commandTimeout)
        if let group, page.revisions.isEmpty { try await requireGroup(group, store) }
        write(page, in: session)
        if follow { try await follow(store, after: page.revisions.first?.number ?? 0, in: session) }
        return .done
    }

    private func write(_ page: HistoryPage, in session: Session) {
        switch output {
        case .table:
            let rows = page.revisions.map { $0.cells(current: page.current) }
            session.standardOutput(Table(Revision.headings, rows).text)
            let rest = page.total - page.revisions.count
            if rest > 0 { session.standardOutput("(\(rest) older not shown; -n \(page.total) shows all)\n") }
        case .json:
            session.standardOutput(JSON.array(page.revisions.map { $0.json(current: page.current) }).indented + "\n")
        case .jsonl:
            for revision in page.revisions {
                session.standardOutput(revision.json(current: page.current).raw.text + "\n")
            }
        }
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

    private func requireGroup(_ group: String, _ store: Store) async throws {
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
