internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager backup FILE`.
struct BackupCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the database into a new file, while managers run",
        discussion: flowing(
            """
            The copy is of one moment, on the disk when the command ends, and never takes the place of another file.
            Managers go on writing meanwhile.

            Example: infrakit-manager backup /backup/manager-$(date +%F).db
            """
        )
    )

    @Argument(help: "The new file", completion: .file())
    var file: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func validate() throws {
        if file.isEmpty {
            throw ValidationError("the name of the new file is empty. Name a file that is not there yet.")
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
            "\(file): everything up to revision \(newest)\n",
            ["file": .string(file), "revision": .int(newest)],
            format.output
        )
        return .done
    }
}
