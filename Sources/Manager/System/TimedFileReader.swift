internal import CLinux
internal import Dispatch
internal import Glibc
internal import Synchronization

/// A small file that may lie on a server that is away: reading it may hang in the kernel, but never the one who asks.
final class TimedFileReader: Sendable {
    struct Trouble: Error, Hashable {
        let message: String
        /// There is no such file, as opposed to one that cannot be read.
        let isMissing: Bool
    }

    let path: String
    private let contents: @Sendable (String) -> Result<[UInt8], Trouble>
    /// One reading at a time: each that hangs keeps a thread, and threads are few.
    private let isReading = Mutex(false)

    /// - Parameter limit: in bytes. A longer file is trouble: nobody knows what lies at a path.
    init(_ path: String, limit: Int, contents: (@Sendable (String) -> Result<[UInt8], Trouble>)? = nil) {
        self.path = path
        self.contents = contents ?? { Self.contents($0, limit: limit) }
    }

    func read(within timeout: Duration) async -> Result<[UInt8], Trouble> {
        let late = Trouble(message: "\(path) does not answer", isMissing: false)
        let isFree = isReading.withLock { isReading in
            defer { isReading = true }
            return !isReading
        }
        guard isFree else { return .failure(late) }
        return await withCheckedContinuation { continuation in
            let answer = Answer(continuation: continuation)
            // A thread of its own: one of the pool that hangs in the kernel is one less for all tasks.
            DispatchQueue(label: "slow file").async { [self] in
                let result = contents(path)
                isReading.withLock { $0 = false }
                answer.give(result)
            }
            let nanoseconds = (BootInstant(nanoseconds: 0) + timeout).nanoseconds
            DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) {
                answer.give(.failure(late))
            }
        }
    }

    /// Reads on the caller's own thread.
    static func contents(_ path: String, limit: Int) -> Result<[UInt8], Trouble> {
        let file = clinux_open_named(path, O_RDONLY)
        guard file >= 0 else { return .failure(unreadable(path, -file)) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .failure(unreadable(path, errno)) }
            guard count > 0 else { return .success(bytes) }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                return .failure(Trouble(message: "\(path) is longer than \(limit) bytes", isMissing: false))
            }
        }
    }

    private static func unreadable(_ path: String, _ code: Int32) -> Trouble {
        // A pipe gives each reader a part, and none that is whole.
        if code == EISDIR || code == ENXIO { return Trouble(message: "\(path) must be a file", isMissing: false) }
        var status = stat()
        if code == ENOENT, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
            // What it names may lie on a mount that is not there yet.
            return Trouble(message: "\(path) is a symbolic link to a file that does not exist", isMissing: false)
        }
        return Trouble(
            message: "\(path) cannot be read: \(String(cString: clinux_open_trouble(code)))",
            isMissing: code == ENOENT || code == ENOTDIR
        )
    }

    /// Answers once, whoever is first.
    private final class Answer: Sendable {
        private let continuation: Mutex<CheckedContinuation<Result<[UInt8], Trouble>, Never>?>

        init(continuation: CheckedContinuation<Result<[UInt8], Trouble>, Never>) {
            self.continuation = Mutex(continuation)
        }

        func give(_ result: Result<[UInt8], Trouble>) {
            let continuation = continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }
            continuation?.resume(returning: result)
        }
    }
}
