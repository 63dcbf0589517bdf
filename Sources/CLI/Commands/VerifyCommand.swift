internal import ArgumentParser
internal import Glibc
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager verify`: proves that nothing in the database was damaged or changed behind the managers' backs.
struct VerifyCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the whole database: pages, hash chain and every specification",
        discussion: flowing(
            """
            No manager needs to run. Checks a copy, made in TMPDIR (default: /tmp) and removed afterwards, so that
            managers can go on.

            With --repair, writes a new file with new page checksums and indexes, but only if every hash is proven. The
            checked file stays unchanged. See docs/storage.md, Other programs.

            Exit status: 0 sound, 1 damaged, 5 could not be checked. With --repair: 0 written, 5 not everything could be
            proven.

            Examples:
              infrakit-manager verify
              infrakit-manager verify --file backup.db -o json
              infrakit-manager verify --repair repaired.db
            """
        )
    )

    @Option(help: ArgumentHelp("File to check, such as a backup (default: the store's database)", valueName: "file"))
    var file: String?

    @Flag(help: "Check the file itself, without a copy; the leader's renewals wait meanwhile")
    var inPlace = false

    @Option(
        help: ArgumentHelp(
            "Write a new file with new checksums and indexes, if all can be proven",
            valueName: "file"
        )
    )
    var repair: String?

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func validate() throws {
        for (flag, path) in [("--file", file), ("--repair", repair)] where path?.isEmpty == true {
            throw ValidationError("\(flag) needs the name of a file")
        }
        if repair != nil, inPlace { throw ValidationError("--repair and --in-place cannot be combined") }
    }

    func run(in session: Session) async throws -> ExitStatus {
        do {
            return try await look(in: session)
        } catch {
            // 1 says that it is damaged.
            let failure = Failure(error)
            guard repair == nil, failure.status == .failed, !failure.isInterruption else { throw failure }
            throw Failure(failure.message, .storeUnusable)
        }
    }

    private func look(in session: Session) async throws -> ExitStatus {
        let path = file ?? store.open(in: session).path
        if let repair { return try await write(repair, of: path, in: session) }
        let original =
            file.map { Store.openForCommand(StoreConfiguration(path: $0, mayHaveOtherNames: true)) }
            ?? store.open(in: session)
        if inPlace { return try await check(original, in: session) }
        let directory = try TemporaryDirectory(in: session)
        defer { directory.remove() }
        let copy = "\(directory.path)/copy.db"
        do {
            try await session.waiting("copying \(original.path)") {
                try await original.backup(to: copy, asItIs: true, within: patience)
            }
        } catch let error as StoreError {
            guard error.code == .corrupt else { throw error }
            // Nobody can tell where its pages begin: no leader can use it.
            return try await check(original, in: session)
        }
        return try await check(Store.openForCommand(StoreConfiguration(path: copy)), of: original, in: session)
    }

    private func write(_ target: String, of path: String, in session: Session) async throws -> ExitStatus {
        let proven = try await session.waiting("proving every revision") {
            try await Store.repair(
                StoreConfiguration(path: path, mayHaveOtherNames: true),
                to: target,
                within: patience
            )
        }
        try session.write(
            """
            wrote \(target): \(proven.found.revisions) revisions, every hash proven
            Outcomes, tags, confirmations, requests and the lease have no hash; they were compared with the rest.
            To use it: stop the managers, move \(path) and its -journal away, and move \(target) to its place.

            """,
            .object(members(proven.found, proven.retention, []) + [JSON.Member("file", .string(target))]),
            format.output
        )
        return .done
    }

    private func check(_ store: Store, of original: Store? = nil, in session: Session) async throws -> ExitStatus {
        var problems: [String] = []
        var chain: Verification?
        var retention: Retention?
        do {
            problems = try await session.waiting("checking every page") {
                try await store.verifyFile(within: patience)
            }
        } catch let error as StoreError {
            guard error.code == .corrupt else { throw error }
            problems.append(error.message)
        }
        do {
            let found = try await session.waiting("checking every revision") {
                try await store.verify(within: patience)
            }
            problems += found.problems.map(\.sentence)
            chain = found
            retention = try await store.retention(within: commandTimeout)
        } catch let error as StoreError {
            guard error.code == .corrupt || !problems.isEmpty else { throw error }
            problems.append(error.message)
        }
        // Of the file that people know, and everything once.
        var told: Set<String> = []
        problems = problems.map { $0.replacing(store.path, with: (original ?? store).path) }
            .filter { told.insert($0).inserted }
        return try report(problems, chain, retention, in: session)
    }

    private func report(
        _ problems: [String],
        _ chain: Verification?,
        _ retention: Retention?,
        in session: Session
    ) throws -> ExitStatus {
        let isSound = problems.isEmpty
        try session.write(
            Self.text(problems, chain, retention),
            .object(members(chain, retention, problems)),
            format.output
        )
        return isSound ? .done : .failed
    }

    private func members(
        _ chain: Verification?,
        _ retention: Retention?,
        _ problems: [String]
    ) -> [JSON.Member] {
        [
            JSON.Member("ok", .bool(problems.isEmpty)), JSON.Member("revisions", .int(chain?.revisions)),
            JSON.Member("removed", .int(retention?.removed)),
            JSON.Member("damaged", .array((chain?.damaged ?? []).map { .int($0) })),
            JSON.Member("trusted", .int(chain?.trusted)),
            JSON.Member("problems", .array(problems.map { .string($0) })),
        ]
    }

    private static func text(_ problems: [String], _ chain: Verification?, _ retention: Retention?) -> TerminalText {
        if problems.isEmpty, let chain, let retention {
            let removed = retention.removed > 0 ? ", \(retention.removed) more were removed by retention" : ""
            return "sound: \(chain.revisions) revisions\(removed)\n"
        }
        return problems.map { "\($0)\n" }.joined() + "\n" + advice(chain)
    }

    /// What can still be trusted, and what to do.
    private static func advice(_ chain: Verification?) -> TerminalText {
        let restore: TerminalText =
            "Stop the managers and restore a backup: see docs/operations.md, Backup and restore.\n"
        guard let chain, chain.trusted > 0 else { return "No revision can be trusted.\n" + restore }
        let export: TerminalText =
            "`infrakit-manager export --damaged --revision \(chain.trusted)` prints the configuration of that "
            + "revision.\n"
        guard let first = chain.damaged.first else {
            let repair: TerminalText =
                "If another program has written to the file, `infrakit-manager verify --repair FILE` writes a new "
                + "one,\nif everything in it can be proven: see docs/storage.md, Other programs.\n"
            return "Every revision that was read, up to \(chain.newest), is unchanged.\n" + restore + export
                + repair
        }
        return "Revisions up to \(chain.trusted) are unchanged; revision \(first) is the first that is damaged.\n"
            + restore + export
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
            throw Failure("cannot create a directory in \(parent): \(String(cString: strerror(errno))). Set TMPDIR.")
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
