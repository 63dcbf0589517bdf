internal import Glibc

/// What tells that there was a database where there is none, or an empty file: it was lost, and is not new.
///
/// Who took it for new would begin at revision 1 again, and let the groups of the lost one go.
enum DatabaseTraces {
    /// The file that a manager leaves beside a database that it has used.
    static func mark(beside path: String) -> String {
        let (directory, name) = split(path)
        return "\(directory).\(name).used"
    }

    /// - Throws: ``StoreError`` `lost` when there is no database, or an empty file, where one was.
    static func requireNotLost(_ path: String) throws(StoreError) {
        // One that is being made is empty as well, with a journal beside it, until its first transaction ends.
        var found: (state: String, trace: String)?
        for attempt in 0..<20 {
            if attempt > 0 { usleep(50_000) }
            // In this order: a manager leaves its mark beside a database that is no longer empty.
            guard blank(path) != nil, let trace = trace(beside: path), let state = blank(path) else { return }
            found = (state, trace)
            var status = stat()
            guard lstat("\(path)-journal", &status) == 0 else { break }
        }
        guard let (state, trace) = found else { return }
        throw StoreError(
            .lost,
            "\(path) \(state), but there was a database: \(trace). Put it or a backup back (docs/operations.md, "
                + "Backup and restore). To create a new one: infrakit-manager accept --empty"
        )
    }

    /// Notes that the database is in use. What cannot be written is done without.
    static func leaveMark(beside path: String) {
        let file = open(mark(beside: path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        let text = "A manager has used \(split(path).name) here. Where that file is missing or empty, it was lost.\n"
        _ = Array(text.utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        fsync(file)
    }

    /// Has a new database begin where one was lost: on somebody's word. A journal of the lost one is kept under another name; beside
    /// a new one it would be rolled back into that, or removed.
    static func putJournalAside(of path: String) throws(StoreError) {
        let journal = "\(path)-journal"
        let aside = "\(path).lost-journal-\(Store.wallClock())"
        guard rename(journal, aside) == 0 || errno == ENOENT else { throw .failed("rename", journal, errno) }
    }

    /// How a file is no database; nil for one that has anything in it, or cannot be looked at.
    private static func blank(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno == ENOENT ? "is missing" : nil }
        return status.st_mode & S_IFMT == S_IFREG && status.st_size == 0 ? "is empty" : nil
    }

    private static func trace(beside path: String) -> String? {
        let (directory, name) = split(path)
        var status = stat()
        if lstat("\(path)-journal", &status) == 0, status.st_size > 0 { return "its journal \(path)-journal exists" }
        guard let entries = opendir(directory.isEmpty ? "." : directory) else { return nil }
        defer { closedir(entries) }
        var found: [String] = []
        while let entry = readdir(entries) {
            let other = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            // Not opened: closing a file drops the locks that this process has on it.
            if other.hasPrefix("\(name).") { found.append(other) }
        }
        if let other = found.min() { return "\(directory)\(other) looks like it or a copy" }
        let mark = mark(beside: path)
        return lstat(mark, &status) == 0 ? "a manager has used it: \(mark) exists" : nil
    }

    /// - Returns: the directory with its slash, empty for the working directory.
    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
        return (String(path[...slash]), String(path[path.utf8.index(after: slash)...]))
    }
}
