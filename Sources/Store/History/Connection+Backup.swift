internal import Glibc

extension Connection {
    /// Copies the database, as it is at one moment, into a new file beside `path`, has the disk keep it, and gives it its
    /// name. Others go on writing (``copyFile(to:_:watch:)``).
    ///
    /// - Throws: ``StoreError``, also when there is a file already: a backup never takes the place of another.
    func backup(to path: String, _ kind: CopyKind = .sound) throws {
        let partial = Self.partial(path)
        try Self.requirePlace(for: path, besides: self.path)
        let unfinished = ProbeFile([partial])
        defer { unfinished.remove() }
        try copyFile(to: partial, kind)
        try Self.publish(partial, as: path)
        try Self.sync(directoryOf: path)
    }

    /// Before a file is made for a person.
    ///
    /// - Throws: ``StoreError``: `conflict` when there is a file, or it would lie where SQLite or a manager looks for something of
    ///   its own; `io` when nobody can tell.
    static func requirePlace(for path: String, besides database: String) throws(StoreError) {
        try requireNotOfStore(path, database)
        try requireAbsent(path)
    }

    private static func requireNotOfStore(_ path: String, _ database: String) throws(StoreError) {
        let (file, own) = (split(path), split(database))
        let names = ["-journal", "-wal", "-shm", ".lock"].map { own.name + $0 } + [GlobalConfig.fileName]
        var (there, here) = (stat(), stat())
        guard names.contains(file.name), stat(file.directory, &there) == 0, stat(own.directory, &here) == 0,
            there.st_dev == here.st_dev, there.st_ino == here.st_ino
        else { return }
        throw StoreError(.conflict, "\(path) is a file of the store itself; nothing was written. Name another file.")
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
    }

    /// A name of its own: somebody else may be making the same copy.
    static func partial(_ path: String) -> String {
        "\(path).\(RevisionDraft.makeToken().prefix(4).hexadecimal).partial"
    }

    /// - Throws: ``StoreError``: `conflict` when there is a file, `io` when nobody can tell.
    static func requireAbsent(_ path: String) throws(StoreError) {
        guard access(path, F_OK) != 0 else { throw exists(path) }
        // A directory that is missing is told better by whoever creates the file.
        guard errno == ENOENT || errno == ENOTDIR else { throw .failed("access", path, errno) }
    }

    private static func exists(_ path: String) -> StoreError {
        StoreError(.conflict, "\(path) exists already; nothing was written. Name another file, or remove it.")
    }

    /// Unlike a rename, a link never takes the place of another file. Not every file system has them.
    static func publish(_ partial: String, as path: String) throws {
        if link(partial, path) == 0 { return }
        guard errno != EEXIST else { throw exists(path) }
        guard rename(partial, path) == 0 else {
            throw StoreError(.io, "\(partial) cannot be renamed to \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// A new name for a file is on the disk only when its directory is.
    static func sync(directoryOf path: String) throws {
        let directory =
            path.utf8.lastIndex(of: UInt8(ascii: "/")).map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else {
            throw StoreError(.io, "\(directory) cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { Glibc.close(file) }
        guard fsync(file) == 0 else {
            throw StoreError(.io, "\(directory) cannot be synced: \(String(cString: strerror(errno)))")
        }
    }
}
