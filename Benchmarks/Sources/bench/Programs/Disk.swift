internal import BenchmarkSupport
internal import Glibc

/// What a disk takes for a small transaction at least: what SQLite does to files for one, without SQLite.
final class Disk {
    private let directory: Int32
    private let database: Int32
    private let path: String
    private let page = [UInt8](repeating: 1, count: 4096)

    /// - Parameter path: a directory, for two files that stay in it.
    init(in path: String) throws {
        self.path = path
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        database = open("\(path)/disk", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard directory >= 0, database >= 0 else { throw failure }
    }

    deinit {
        close(directory)
        close(database)
    }

    /// A journal is made and kept, a page is written, and the journal is removed again.
    ///
    /// - Returns: how long it took, in milliseconds.
    func transaction() throws -> Double {
        let start = ContinuousClock.now
        let journal = open("\(path)/disk-journal", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard journal >= 0 else { throw failure }
        defer { close(journal) }
        try write(to: journal)
        guard fsync(directory) == 0 else { throw failure }
        try write(to: database)
        guard unlink("\(path)/disk-journal") == 0, fsync(directory) == 0 else { throw failure }
        return (ContinuousClock.now - start).inMilliseconds
    }

    private func write(to file: Int32) throws {
        guard pwrite(file, page, page.count, 0) == page.count, fsync(file) == 0 else { throw failure }
    }

    private var failure: BenchmarkError { BenchmarkError("\(path): \(String(cString: strerror(errno)))") }
}
