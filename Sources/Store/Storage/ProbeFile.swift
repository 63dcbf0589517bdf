internal import CLinux
internal import Glibc

/// Files of this process beside the database, on which something is tried out.
///
/// They go as soon as it was (``remove()``), and when a signal asks the process to end (``removeAtSignals()``). Those of a process
/// that was killed, or that a file system never let go on, stay until ``removeLeftovers(in:)``.
public struct ProbeFile {
    public enum Kind: String, CaseIterable, Sendable {
        case lock, clock, renewal
    }

    /// The file that `doctor --peer` locks; what begins with its name goes with it.
    public static let peerName = ".manager.peerprobe"
    /// What is older belongs to nobody who still tries: the longest probe without a lock takes a minute.
    private static let longest = 600

    private let files: [(path: String, slot: Int32)]

    /// - Parameter paths: of files that this process creates, or has created.
    public init(_ paths: [String]) {
        files = paths.map { ($0, clinux_file_to_remove($0)) }
    }

    public func remove() {
        for file in files {
            unlink(file.path)
            clinux_file_was_removed(file.slot)
        }
    }

    /// - Parameters:
    ///   - kind: of file.
    ///   - directory: ends with a slash, or is empty for the working directory.
    ///   - suffixes: of further files whose names begin with this one's.
    ///   - body: creates the file, under a name that nobody else has. Whatever it opens there it has to close.
    public static func with<Result>(
        _ kind: Kind,
        in directory: String,
        suffixes: [String] = [],
        _ body: (_ path: String) throws -> Result
    ) rethrows -> Result {
        // Random, because managers in two containers may well have one pid.
        let path = "\(directory)\(prefix(kind))\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
        let file = ProbeFile(([""] + suffixes).map { path + $0 })
        defer { file.remove() }
        return try body(path)
    }

    /// Has SIGHUP, SIGINT and SIGTERM remove the files before they end the process. For a command, not for what serves.
    public static func removeAtSignals() { clinux_remove_files_at_end() }

    /// Removes what probes have left whose processes are gone, on whatever host: what is ten minutes older than a file that
    /// is made now, by the clock of the file system alone.
    ///
    /// - Parameter directory: ends with a slash, or is empty for the working directory.
    public static func removeLeftovers(in directory: String) {
        let names = names(in: directory)
        guard !names.isEmpty, let now = with(.clock, in: directory, changed) else { return }
        let meeting = directory + peerName
        for name in names where !name.hasPrefix(peerName) || !isLocked(meeting) {
            var status = stat()
            guard lstat(directory + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            if now - status.st_mtim.tv_sec > longest { unlink(directory + name) }
        }
    }

    private static func prefix(_ kind: Kind) -> String { ".manager.\(kind.rawValue)probe-" }

    private static func names(in directory: String) -> [String] {
        guard let entries = opendir(directory.isEmpty ? "." : directory) else { return [] }
        defer { closedir(entries) }
        let prefixes = Kind.allCases.map(prefix) + [peerName]
        var names: [String] = []
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if prefixes.contains(where: name.hasPrefix) { names.append(name) }
        }
        return names
    }

    /// True also when that cannot be told.
    private static func isLocked(_ path: String) -> Bool {
        let file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return errno != ENOENT }
        defer { close(file) }
        var range = flock()
        range.l_type = Int16(F_WRLCK)
        range.l_whence = Int16(SEEK_SET)
        return fcntl(file, F_GETLK, &range) != 0 || range.l_type != Int16(F_UNLCK)
    }

    /// Creates the file.
    ///
    /// - Returns: when that was, in seconds by the clock of its file system; nil when it cannot be created.
    private static func changed(_ path: String) -> Int? {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        return fstat(file, &status) == 0 ? status.st_mtim.tv_sec : nil
    }
}
