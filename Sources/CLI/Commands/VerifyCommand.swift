internal import ArgumentParser
internal import Glibc
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager verify`: proves that nothing in the database was damaged or changed behind the managers' backs.
struct VerifyCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the whole database: its pages, the hash chain, every specification",
        discussion: flowing(
            """
            Needs no manager. It looks at a copy, made in TMPDIR (default: /tmp) and removed at the end, so that managers
            can go on.

            With --repair it writes a new file, with every page checksum and every index made anew, but only when every
            hash in it is proven. The file that was checked stays as it is. See docs/storage.md, Other programs.

            Exit status: 0 sound, 1 damaged, 5 when that could not be found out. With --repair: 0 written, 5 when
            something cannot be proven.

            Examples:
              infrakit-manager verify
              infrakit-manager verify --file backup.db -o json
              infrakit-manager verify --repair repaired.db
            """
        )
    )

    @Option(help: ArgumentHelp("Check this file, for instance a backup, instead of the store's", valueName: "file"))
    var file: String?

    @Flag(help: "Read the file itself, without a copy; a leader's renewals wait meanwhile")
    var inPlace = false

    @Option(
        help: ArgumentHelp(
            "Write a new file with all checksums and indexes made anew, once it is proven",
            valueName: "file"
        )
    )
    var repair: String?

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func validate() throws {
        for (flag, path) in [("--file", file), ("--repair", repair)] where path?.isEmpty == true {
            throw ValidationError("\(flag) takes the name of a file, not an empty one")
        }
        if repair != nil, inPlace { throw ValidationError("--repair and --in-place do not go together") }
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
            No hash covers outcomes, tags, confirmations, requests and the lease: they were compared with the rest.
            To use it: stop the managers, move \(path) and its -journal away, and put \(target) in its place.

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
        let restore: TerminalText = "Stop the managers and restore a backup: docs/operations.md, Backup and restore.\n"
        guard let chain, chain.trusted > 0 else { return "No revision can be trusted.\n" + restore }
        let export: TerminalText =
            "`infrakit-manager export --damaged --revision \(chain.trusted)` prints what stood then.\n"
        guard let first = chain.damaged.first else {
            let repair: TerminalText =
                "If another program has written to the file: `infrakit-manager verify --repair FILE` writes a new one,\n"
                + "when all in it can be proven: docs/storage.md, Other programs.\n"
            return "Every revision that was read, up to \(chain.newest), is as it was stored.\n" + restore + export
                + repair
        }
        return "Revisions up to \(chain.trusted) are as they were stored; \(first) is the first that is not.\n"
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
