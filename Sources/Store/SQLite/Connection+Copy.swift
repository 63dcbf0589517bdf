internal import CSQLite
internal import Glibc

extension Connection {
    /// What is copied of damage.
    enum CopyKind {
        /// None: it is an error.
        case sound
        /// All: the copy is looked at.
        case asItIs
        /// What it holds, with checksums made anew.
        case sealed

        fileprivate var code: csqlite_copy_kind {
            switch self {
            case .sound: CSQLITE_COPY_SOUND
            case .asItIs: CSQLITE_COPY_AS_IT_IS
            case .sealed: CSQLITE_COPY_SEALED
            }
        }
    }

    /// A moment in the making of a copy.
    enum CopyMoment {
        case willRead, hasRead
    }

    /// What the file is at a moment at which nobody writes it.
    ///
    /// A commit changes the counter in the file's header. A writer that undoes what it has written does not, but the file is
    /// another then by its times.
    private struct FileState: Equatable {
        let header: [UInt8]
        let numbers: [Int]
    }

    /// How often a copy is tried to be made without a lock.
    static let unlockedPasses = 5

    /// The time of a file counts in steps, of 10 ms and less: what is written in the step in which it was looked at leaves
    /// the time as it was. After such a pause no write that was seen is of that step.
    private static let stepOfFileTimes: UInt32 = 20_000

    /// Copies the whole file into one that is created for it, as it is at one moment, and has the disk keep it.
    ///
    /// Others go on writing: the file is read without a lock, and looked at under one, for a moment, before and after. When it
    /// has changed, those pages that differ are copied again. Only where somebody writes all the time are these copied under
    /// a lock, at the end. Whoever is stopped amid that keeps nobody from writing. Within a transaction of the caller's, in one pass.
    ///
    /// - Parameter watch: called around each pass without a lock.
    /// - Throws: ``StoreError``, ``SQLiteError``.
    func copyFile(
        to target: String,
        _ kind: CopyKind,
        watch: (CopyMoment) throws -> Void = { _ in }
    ) throws {
        let file = open(target, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StoreError.failed("create", target, errno) }
        defer { Glibc.close(file) }
        guard let copy = csqlite_page_copy_begin(database, file, kind.code) else {
            throw SQLiteError(code: SQLITE_NOMEM, database: nil, path: path, action: "copy the pages")
        }
        defer { csqlite_page_copy_end(copy) }
        if isInTransaction {
            try pass(copy, target)
            try requireSound(copy)
        } else {
            try copyUnlocked(copy, target, watch)
        }
        try requireWritten(csqlite_page_copy_write(copy), target)
        guard fsync(file) == 0 else { throw StoreError.failed("sync", target, errno) }
    }

    /// Reads all pages, as a copy would.
    ///
    /// - Throws: as ``copyFile(to:_:watch:)``.
    func checkPages() throws {
        guard let copy = csqlite_page_copy_begin(database, -1, CSQLITE_COPY_SOUND) else {
            throw SQLiteError(code: SQLITE_NOMEM, database: nil, path: path, action: "read the pages")
        }
        defer { csqlite_page_copy_end(copy) }
        try copyUnlocked(copy, path) { _ in }
    }

    private func copyUnlocked(_ copy: OpaquePointer, _ target: String, _ watch: (CopyMoment) throws -> Void) throws {
        var before = try locked { try state() }
        for _ in 1...Self.unlockedPasses {
            usleep(Self.stepOfFileTimes)
            try watch(.willRead)
            try pass(copy, target)
            try watch(.hasRead)
            let after = try locked {
                let after = try state()
                if after == before { try requireSound(copy) }
                return after
            }
            if after == before { return }
            before = after
            try requireWritten(csqlite_page_copy_write(copy), target)
        }
        try locked {
            try pass(copy, target)
            try requireSound(copy)
        }
    }

    /// Nobody writes meanwhile, and nothing that was left half written is in the file.
    private func locked<Result>(_ body: () throws -> Result) throws -> Result {
        try execute("BEGIN")
        do {
            // Locks the file, and needs no table.
            try execute("PRAGMA user_version")
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            if isInTransaction { try? rollBack() }
            throw error
        }
    }

    private func state() throws -> FileState {
        var header = [UInt8](repeating: 0, count: 100)
        let code = csqlite_read_header(database, &header, Int32(header.count))
        guard code == SQLITE_OK else {
            throw SQLiteError(code: code, database: nil, path: path, action: "read the header")
        }
        // The kernel asks a server anew for what it tells of a file that was locked.
        var status = stat()
        guard stat(path, &status) == 0 else { throw StoreError.failed("access", path, errno) }
        return FileState(
            header: header,
            numbers: [
                Int(status.st_dev), Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec,
            ]
        )
    }

    private func pass(_ copy: OpaquePointer, _ target: String) throws {
        var systemError: Int32 = 0
        let code = csqlite_page_copy_pass(copy, &systemError)
        guard code == SQLITE_OK else {
            throw SQLiteError(code: code, database: nil, path: path, action: "copy the pages")
        }
        try requireWritten(systemError, target)
    }

    private func requireSound(_ copy: OpaquePointer) throws {
        let code = csqlite_page_copy_damage(copy)
        guard code == SQLITE_OK else {
            throw SQLiteError(code: code, database: nil, path: path, action: "copy the pages")
        }
    }

    private func requireWritten(_ systemError: Int32, _ target: String) throws(StoreError) {
        guard systemError != 0 else { return }
        if systemError == ENOSPC || systemError == EDQUOT {
            throw StoreError(.full, "there is no space, or no quota, left for \(target).")
        }
        throw StoreError.failed("write", target, systemError)
    }
}
