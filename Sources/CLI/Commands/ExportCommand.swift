public import ArgumentParser
internal import GroupSPI
public import Store
internal import Terminal

/// `infrakit-manager export`: the configuration in the shape of the Go manager's `global.config`.
struct ExportCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print the configuration in the format of the Go manager's global.config",
        discussion: flowing(
            """
            Specifications are printed byte for byte. Go managers up to v0.5 read one object of groups; the last Go
            manager reads a list of records. Choose the format with --shape.

            Examples:
              infrakit-manager export > global.config
              infrakit-manager export --shape head > global.config
              infrakit-manager export --revision 12
              infrakit-manager export --damaged --revision 12
            """
        )
    )

    @Option(
        help: ArgumentHelp("Revision to export (default: the current one)", valueName: "rev"),
        completion: Completions.revisions
    )
    var revision: RevisionWord?

    @Option(help: ArgumentHelp("Format to print: v05 (Go managers up to v0.5) or head", valueName: "shape"))
    var shape = GlobalConfig.Shape.v05

    @Flag(help: "Read damaged pages too; needs a --revision that verify trusts")
    var damaged = false

    @OptionGroup var store: StoreOptions

    func validate() throws {
        if damaged, revision == nil {
            throw ValidationError(
                "--damaged needs --revision; run `infrakit-manager verify` to see which revisions are sound"
            )
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let store =
            damaged ? store.open(in: session).readingDamagedPages : try await store.openToRead(in: session)
        // Only what is asked for: what is newer may be what is damaged.
        let states =
            if let revision {
                try await store.wholeStates(at: try await revision.number(in: store), within: commandTimeout)
            } else {
                try await store.states(within: commandTimeout)
            }
        try session.standardOutput(TerminalText(exact: GlobalConfig.encode(states.entries, as: shape).raw.text + "\n"))
        return .done
    }
}

extension GlobalConfig.Shape: ExpressibleByArgument {}

/// `infrakit-manager import FILE`.
struct ImportCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Commit the groups of a Go manager's global.config as one revision",
        discussion: flowing(
            """
            Reads both formats that Go managers have written. Entries that are not groups are skipped and listed. All
            groups are committed to this manager's plugin; groups for which the file names another plugin are listed.
            Groups that the file does not name stay unchanged. If the history is empty, a global.config in the store
            directory is imported automatically.

            Example: infrakit-manager import ~/.infrakit/configs/global.config
            """
        )
    )

    @Argument(help: "File to read; - for standard input", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Reason, recorded in the history", valueName: "text"))
    var message: String?

    @Option(help: ArgumentHelp("How long to wait for the outcome", valueName: "duration"))
    var wait = GoDuration(.seconds(30))

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func run(in session: Session) async throws -> ExitStatus {
        let contents: GlobalConfig.Contents
        do {
            contents = try GlobalConfig.contents(try InputFile.read(file))
        } catch let error as StoreError {
            throw Failure("\(file): \(error.message)")
        }
        let entries = contents.entries
        if !contents.others.isEmpty {
            session.standardError(
                "note: skipped entries that are not groups: \(contents.others.joined(separator: ", "))\n"
            )
        }
        guard !entries.isEmpty else { throw Failure("\(file) contains no groups; nothing was changed") }
        if let entry = entries.first(where: { $0.spec.id.isEmpty }) {
            throw Failure("\(file): a group of the plugin '\(entry.plugin)' has no name; nothing was changed")
        }
        let waiting = LeaderRequest(store: self.store.open(in: session), timeout: wait.duration, session: session)
        let store = try await waiting.reading { try await self.store.openToRead(in: session) }
        let answer = try await waiting.run(
            .import(entries),
            message: message ?? "imported from \(file == "-" ? "standard input" : file)"
        )
        var report = await ChangeReport(of: answer, store)
        let changed = Set(report.revision?.groups ?? [])
        report.unchanged = entries.map(\.spec.id).filter { !changed.contains($0) }
        report.redirected = Self.redirected(entries, report.revision)
        try session.write(report.text, report.json, format.output)
        return report.status
    }

    /// Groups that the file had with another plugin than the one that has them now.
    private static func redirected(_ entries: [GlobalConfig.Entry], _ revision: Revision?) -> [ChangeReport.Redirection]
    {
        let named = Dictionary(entries.map { ($0.spec.id, $0.plugin) }, uniquingKeysWith: { first, _ in first })
        return (revision?.changes ?? []).compactMap { change in
            guard case .set(_, let plugin) = change.action, let before = named[change.group], !before.isEmpty,
                before != plugin
            else { return nil }
            return ChangeReport.Redirection(group: change.group, from: before, to: plugin)
        }
    }
}
