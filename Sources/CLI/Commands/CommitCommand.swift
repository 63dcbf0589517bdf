internal import ArgumentParser
internal import Documents
internal import GroupSPI
internal import Manager
internal import Store

/// `infrakit-manager commit FILE`: declares groups, all in one revision.
struct CommitCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "commit",
        abstract: "Commit one or more groups from a JSON or YAML file as one revision",
        discussion: flowing(
            """
            Works from any host that can open the database; the leader applies the change. The file holds one
            specification ({"ID": ..., "Properties": {...}}), a list of them, several YAML documents, or {"Groups":
            {...}} as printed by `show`. Groups that the file does not name stay unchanged. Groups that already have the
            given specification are left out. The revision is recorded completely or not at all. The outcome is shown
            for each group.

            With --confirm, the revision is reverted unless you run `infrakit-manager confirm` in time.

            Examples:
              infrakit-manager commit cattle.json
              infrakit-manager commit groups.yaml --message "new image" --confirm 10m
              infrakit-manager show before-upgrade | infrakit-manager commit - --dry-run
            """
        )
    )

    @Argument(help: "File to read; - for standard input", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Revert the revision unless it is confirmed within this time", valueName: "duration"))
    var confirm: GoDuration?

    @OptionGroup var change: ChangeOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func validate() throws {
        if let confirm, confirm.duration < .seconds(1) {
            throw ValidationError("--confirm must be 1s or more, not \(confirm)")
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let entries = try Manifest.entries(in: try InputFile.read(file), named: file)
        let waiting = LeaderRequest(
            store: self.store.open(in: session),
            timeout: change.wait.duration,
            session: session
        )
        let store = try await waiting.reading { try await self.store.openToRead(in: session) }
        if change.dryRun {
            try await change.requireExpected(in: store)
            let standing = try await store.states(within: commandTimeout)
            let summary = try await store.summary(within: commandTimeout)
            let changes = CommitPlan.changes(
                from: standing,
                to: entries,
                defaultPlugin: "",
                unsettled: standing.unsettled(
                    refused: summary.rejections.map(\.group),
                    unconfirmed: summary.unconfirmed.map(\.revision)
                )
            )
            let preview = try await ChangePreview(changes, standing: standing, target: nil, asking: waiting)
            try session.write(preview.text(colored: session.isColored), preview.json, format.output)
            return .done
        }
        let kind = Request.Kind.commit(
            entries,
            expectedCurrent: change.expectCurrent,
            confirmWithin: confirm?.duration.milliseconds
        )
        var report = await ChangeReport(of: try await waiting.run(kind, message: change.message), store)
        let changed = Set(report.revision?.groups ?? [])
        report.unchanged = entries.map(\.spec.id).filter { !changed.contains($0) }
        try session.write(report.text, report.json, format.output)
        return report.status
    }
}
