internal import ArgumentParser
internal import Glibc
internal import GroupSPI
internal import Store

/// `infrakit-manager verify`: proves that nothing in the database was damaged or changed behind the managers' backs.
struct VerifyCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the whole database: its pages, the hash chain, every specification",
        discussion: """
            Needs no manager. It looks at a copy, made in TMPDIR (default: /tmp) and removed at the end, so that managers
            can go on.

            Exit status: 0 sound, 1 not.

            Examples:
              infrakit-manager verify
              infrakit-manager verify --file backup.db -o json
            """
    )

    @Option(help: ArgumentHelp("Check this file, for instance a backup, instead of the store's", valueName: "file"))
    var file: String?

    @Flag(help: "Look at the file itself, without a copy; a leader's renewals wait meanwhile")
    var inPlace = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func run(in session: Session) async throws -> ExitStatus {
        let original = file.map { Store.openForCommand(StoreConfiguration(path: $0)) } ?? store.open(in: session)
        if inPlace { return try await check(original, in: session) }
        let directory = try TemporaryDirectory(in: session)
        defer { directory.remove() }
        let copy = "\(directory.path)/copy.db"
        do {
            try await session.waiting("copying \(original.path)") {
                try await original.backup(to: copy, within: patience)
            }
        } catch let error as StoreError {
            guard error.code == .corrupt else { throw error }
            return report([error.message], nil, nil, in: session)
        }
        return try await check(Store.openForCommand(StoreConfiguration(path: copy)), of: original, in: session)
    }

    private func check(_ store: Store, of original: Store? = nil, in session: Session) async throws -> ExitStatus {
        var problems: [String] = []
        var revisions: Int?
        var retention: Retention?
        do {
            problems = try await session.waiting("checking every page") {
                try await store.verifyFile(within: patience)
            }
            let chain = try await session.waiting("checking every revision") {
                try await store.verify(within: patience)
            }
            problems += chain.problems
            revisions = chain.revisions
            retention = try await store.retention(within: commandTimeout)
        } catch let error as StoreError {
            guard error.code == .corrupt else { throw error }
            // The rows cannot be read for the damage. What is known of it is told, and of the file that people know.
            problems.append(error.message.replacing(store.path, with: (original ?? store).path))
        }
        return report(problems, revisions, retention, in: session)
    }

    private func report(
        _ problems: [String],
        _ revisions: Int?,
        _ retention: Retention?,
        in session: Session
    ) -> ExitStatus {
        session.write(
            Self.text(problems, revisions, retention),
            [
                "ok": .bool(problems.isEmpty), "revisions": .int(revisions), "removed": .int(retention?.removed),
                "problems": .array(problems.map { .string($0) }),
            ],
            format.output
        )
        return problems.isEmpty ? .done : .failed
    }

    private static func text(_ problems: [String], _ revisions: Int?, _ retention: Retention?) -> String {
        guard problems.isEmpty, let revisions, let retention else { return problems.map { $0 + "\n" }.joined() }
        let removed = retention.removed > 0 ? ", \(retention.removed) more were removed by retention" : ""
        return "sound: \(revisions) revisions\(removed)\n"
    }

    /// A database of gigabytes on a slow server takes its time.
    private var patience: Duration { .seconds(3600) }
}

/// A directory of this process's own, for files that do not outlive it.
struct TemporaryDirectory {
    let path: String

    init(in session: Session) throws {
        let parent = session.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(parent)/infrakit-manager-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure("no directory can be made in \(parent): \(String(cString: strerror(errno))). Set TMPDIR.")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes it and the files in it.
    func remove() {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    }
}
