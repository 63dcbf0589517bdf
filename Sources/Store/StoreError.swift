internal import CSQLite
internal import Glibc
internal import GroupSPI

/// `SQLITE_READONLY_DBMOVED`, a macro that Swift does not import.
private let readOnlyBecauseMoved = SQLITE_READONLY | 4 << 8

/// Why the store did not do what was asked.
public struct StoreError: Error, Hashable, Sendable {
    /// What kind of trouble. More cases may come: switch with a default.
    public enum Code: String, Sendable {
        /// No database where one was expected.
        case missing
        /// No directory where the database would be.
        case directoryMissing
        /// A file without content: no manager has used it yet.
        case empty
        /// No database, or a file without content, where one was.
        case lost
        /// Another program's database.
        case foreign
        /// A file that is no database at all.
        case notADatabase
        /// Written by a newer version; left untouched.
        case newerSchema
        /// Written by an older version; a manager of this one brings it up to date when it starts.
        case olderSchema
        /// Damaged.
        case corrupt
        /// Write protected: the file, the directory or the mount.
        case readOnly
        /// No right to open it.
        case permission
        /// The disk, or a quota, is full.
        case full
        /// Another connection held the lock for longer than the busy timeout, or the work could not begin in time.
        /// Nothing was stored.
        case busy
        /// The file system cannot keep two hosts apart, or the journal mode cannot survive there.
        case unsafeStorage
        /// An I/O error before the commit. Nothing was stored.
        case io
        /// A read that did not come back in time.
        case noAnswer
        /// An error at the commit, or no answer in time: nobody knows whether it was stored.
        case unknownOutcome
        /// The writer does not hold the lease at its epoch (any more). Nothing was stored.
        case fenced
        /// The database is older than what this replica has seen of it. Nothing was stored.
        case stale
        /// No such revision, group, or tag.
        case notFound
        /// The request contradicts what is stored.
        case conflict
        /// The current revision is not the one that the writer expects. Nothing was stored.
        case unexpectedCurrent
        /// More than the place can hold, for this change only. Nothing was stored.
        case tooLarge
        /// A file to import that has no shape we know.
        case malformed
    }

    public let code: Code
    /// One or two sentences for a person: what was wrong, and what to do.
    public let message: String
    /// The result code of SQLite, where one was the cause.
    public let cause: SQLiteError?

    /// The message without what became of the work that failed: for one that tells of other work, as of a request that is in the
    /// store while this was a look at it.
    public var trouble: String {
        [" nothing was changed.", " nothing was stored."].reduce(message) { $0.replacing(";\($1)", with: ".") }
            .replacing(" Try again.", with: "")
    }

    public init(_ code: Code, _ message: String, cause: SQLiteError? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Maps a result code to what it means for the store.
    init(_ error: SQLiteError) {
        let path = error.path
        switch error.primaryCode {
        case SQLITE_IOERR where error.isAboutSpace, SQLITE_CANTOPEN where error.isAboutSpace:
            self.init(.full, "there is no space, or no quota, left for \(path); nothing was stored.", cause: error)
        case SQLITE_BUSY, SQLITE_LOCKED:
            LockedTimes.note(path)
            let holder = LockHolder.other(of: path).map { " (\($0))" } ?? ""
            self.init(
                .busy,
                "\(path) is locked by another process\(holder); nothing was changed. Try again.",
                cause: error
            )
        case SQLITE_FULL:
            self.init(.full, "the disk that holds \(path) is full; nothing was stored. Free some space.", cause: error)
        case SQLITE_IOERR where error.extendedCode == SQLiteError.strangeJournal:
            self.init(
                .corrupt,
                "the journal \(path)-journal does not belong to the last change of \(path): it is older, or of "
                    + "another file. It would undo acknowledged changes. Move it away, then run `infrakit-manager "
                    + "verify`.",
                cause: error
            )
        case SQLITE_CORRUPT,
            SQLITE_IOERR where error.extendedCode == SQLiteError.damagedPage:
            self.init(
                .corrupt,
                "\(path) is damaged (\(error.message)). Stop the managers and restore a backup.",
                cause: error
            )
        // It had them when it was opened.
        case SQLITE_ERROR where error.message.hasPrefix("no such table"):
            self.init(
                .empty,
                "\(path) has lost its tables while it was open: it was emptied, or overwritten; nothing was stored. Put the file "
                    + "back.",
                cause: error
            )
        case SQLITE_NOTADB:
            self.init(.notADatabase, "\(path) is not an SQLite database. Name another store directory.", cause: error)
        case SQLITE_READONLY where error.extendedCode == readOnlyBecauseMoved:
            self.init(
                .missing,
                "\(path) was moved or replaced while it was open; nothing was stored. Put it back, or restart.",
                cause: error
            )
        case SQLITE_READONLY:
            self = .readOnly(path, cause: error)
        case SQLITE_PERM, SQLITE_AUTH:
            self.init(.permission, "no permission to open \(path). Check its owner and mode.", cause: error)
        case SQLITE_CANTOPEN:
            let (code, reason) = StoreError.reasonNotOpened(path, error.systemError)
            self.init(code, "\(path) cannot be opened: \(reason)", cause: error)
        case SQLITE_CONSTRAINT:
            self.init(.conflict, "\(path) already contains this (\(error.message)); nothing was stored.", cause: error)
        default:
            self.init(
                .io,
                "\(path): \(error.message) (SQLite code \(error.extendedCode)"
                    + (error.systemError == 0 ? "" : ", \(String(cString: strerror(error.systemError)))")
                    + "). Check the disk, or the server that holds it.",
                cause: error
            )
        }
    }

    static func readOnly(_ path: String, cause: SQLiteError? = nil) -> StoreError {
        StoreError(.readOnly, "\(path) cannot be written. Check the mount and the permissions.", cause: cause)
    }

    static func foreign(_ path: String) -> StoreError {
        StoreError(.foreign, "\(path) is another program's database. Name another store directory.")
    }

    /// A system call that failed says nothing but that: not that something is missing, or is another thing.
    static func failed(_ step: String, _ path: String, _ error: Int32) -> StoreError {
        if error == EACCES || error == EPERM {
            return StoreError(
                .permission,
                "no permission to \(step) \(path). Check the owners and modes of its parent directories."
            )
        }
        let reason = String(cString: strerror(error))
        return StoreError(.io, "cannot \(step) \(path): \(reason). Check the disk, or the server that holds it.")
    }

    /// All that SQLite's shell writes into a dump of ours is in there, but for what tells whose file it is and how new.
    static func dump(_ path: String) -> StoreError {
        StoreError(
            .foreign,
            "\(path) was made from an SQL dump of a manager's database. A dump lacks the schema version and the page "
                + "checksums, so no manager can use it. Restore a copy of the file (infrakit-manager backup)."
        )
    }

    /// Every page was written by another program.
    static func withoutChecksums(_ path: String) -> StoreError {
        StoreError(
            .readOnly,
            "\(path) was written by another program, which removed its page checksums. A manager adds them when it "
                + "starts."
        )
    }

    /// Another file, or an older state of this one.
    public static func stale(_ path: String) -> StoreError {
        StoreError(.stale, "\(path): \(Suspension.sentence); nothing was stored.")
    }

    static func journalMode(_ mode: String, path: String) -> StoreError {
        StoreError(
            .unsafeStorage,
            "\(path) is in journal mode '\(mode)', which is not safe when hosts share the file. With all managers "
                + "stopped, run: sqlite3 \(path) 'PRAGMA journal_mode=DELETE'"
        )
    }

    public static func fenced(_ lease: Lease?) -> StoreError {
        guard let lease, !lease.holder.isEmpty else {
            return StoreError(.fenced, "this replica does not hold the lease; nobody does")
        }
        return StoreError(
            .fenced,
            "this replica does not hold the lease: \(lease.holder) leads in epoch \(lease.epoch)"
        )
    }
}

extension StoreError: CustomStringConvertible {
    public var description: String { message }
}

extension SQLiteError {
    fileprivate var isAboutSpace: Bool { systemError == ENOSPC || systemError == EDQUOT }
}
