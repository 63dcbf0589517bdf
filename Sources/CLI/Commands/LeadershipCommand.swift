internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager leadership`: who led, from when to when, and why it ended.
struct LeadershipCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "leadership",
        abstract: "List the terms of leadership, newest first",
        discussion: "Example: infrakit-manager leadership -o json"
    )

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func run(in session: Session) async throws -> ExitStatus {
        let terms = try await store.openToRead(in: session).terms(within: commandTimeout)
        try session.write(Self.table(terms).text(width: session.width), Self.json(terms), format.output)
        return .done
    }

    private static func table(_ terms: [Term]) -> Table {
        Table(
            ["EPOCH", "MANAGER", "FROM", "UNTIL", "REASON"],
            terms.map { term in
                [
                    "\(term.epoch)", term.manager.text, Timestamp(milliseconds: term.from).local,
                    term.until.map { Timestamp(milliseconds: $0).local } ?? "-", term.reason ?? "",
                ]
            }
        )
    }

    private static func json(_ terms: [Term]) -> JSON {
        .array(
            terms.map { term in
                [
                    "epoch": .int(term.epoch), "manager": .string(term.manager),
                    "from": .string(Timestamp(milliseconds: term.from).rfc3339),
                    "until": .string(term.until.map { Timestamp(milliseconds: $0).rfc3339 }),
                    "reason": .string(term.reason),
                ]
            }
        )
    }
}
