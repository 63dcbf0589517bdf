internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager backup FILE`.
struct BackupCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back up the database to a new file while managers run",
        discussion: flowing(
            """
            The backup is a consistent snapshot, synced to disk before the command ends. An existing file is never
            overwritten. Managers go on writing meanwhile.

            Example: infrakit-manager backup /backup/manager-$(date +%F).db
            """
        )
    )

    @Argument(help: "File to create; must not exist yet", completion: .file())
    var file: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func validate() throws {
        if file.isEmpty {
            throw ValidationError("the file name is empty; name a file that does not exist yet")
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        Directories.makeFilesPrivate()
        ProbeFile.removeAtSignals()
        try await session.waiting("copying to \(file)") {
            try await store.open(in: session).backup(to: file, within: .seconds(3600))
        }
        let copy = Store.openForCommand(StoreConfiguration(path: file, mayHaveOtherNames: true))
        let newest = try await copy.summary(within: commandTimeout).newest
        try session.write(
            "wrote \(file), up to revision \(newest)\n",
            ["file": .string(file), "revision": .int(newest)],
            format.output
        )
        return .done
    }
}
