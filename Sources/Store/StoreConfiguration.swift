/// Where the database is and how it is used.
public struct StoreConfiguration: Hashable, Sendable {
    /// The file, `manager.db` in the store directory.
    public var path: String
    /// How long a statement waits for another process's lock, in milliseconds. Far below the renew deadline: a renewal
    /// that waits longer than that is worth nothing.
    public var busyTimeout: Int
    /// Accept a file system on which two hosts may both believe that they hold a lock.
    public var allowsUnsafeStorage: Bool
    /// Whether the file may have a second hard link or be a bind mount: a backup that is only read, never a store in use.
    public var mayHaveOtherNames: Bool
    /// Whether a database that is older than what was seen of it is refused: for a replica that leads, or may.
    public var noticesOlderState = false
    /// Whether a database is made where there is none but was one: not so for a manager, whose groups the lost one names.
    public var mayBeginAnew = true
    /// By which of SQLite's ways it is reached; nil for the usual one. For tests of storage that fails.
    var vfs: String?
    /// Whether each page is compared with its checksum when it is read; not so for a look at what is damaged.
    var checksPages = true

    public init(
        path: String,
        busyTimeout: Int = 1000,
        allowsUnsafeStorage: Bool = false,
        mayHaveOtherNames: Bool = false
    ) {
        self.path = path
        self.busyTimeout = busyTimeout
        self.allowsUnsafeStorage = allowsUnsafeStorage
        self.mayHaveOtherNames = mayHaveOtherNames
    }

    /// The database's name in the store directory.
    public static let fileName = "manager.db"

    public static func path(in directory: String) -> String {
        directory.hasSuffix("/") ? directory + fileName : "\(directory)/\(fileName)"
    }
}
