internal import Dispatch
internal import Glibc
internal import Synchronization

/// A small file that may lie on a server that is away: reading it may hang in the kernel, but never the one who asks.
final class SlowFile: Sendable {
    struct Trouble: Error, Hashable {
        let message: String
        /// There is no such file, as opposed to one that cannot be read.
        let isMissing: Bool
    }

    let path: String
    private let contents: @Sendable (String) -> Result<[UInt8], Trouble>
    /// One reading at a time: each that hangs keeps a thread, and threads are few.
    private let isReading = Mutex(false)

    init(_ path: String, contents: @escaping @Sendable (String) -> Result<[UInt8], Trouble> = SlowFile.contents) {
        self.path = path
        self.contents = contents
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
    static func contents(_ path: String) -> Result<[UInt8], Trouble> {
        errno = 0
        var status = stat()
        // A pipe gives each reader a part, and none that is whole.
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            return .failure(Trouble(message: "\(path) must be a file", isMissing: false))
        }
        guard let bytes = ProcFS.bytes(path) else {
            let code = errno
            return .failure(
                Trouble(
                    message: "\(path) cannot be read: \(String(cString: strerror(code)))",
                    isMissing: code == ENOENT || code == ENOTDIR
                )
            )
        }
        return .success(bytes)
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
