internal import Dispatch
internal import Glibc
internal import Synchronization

/// Whether a directory answers at all: one on a server that is away may keep whoever asks waiting for ever.
final class DirectoryAnswer: Sendable {
    private let waiting: Mutex<CheckedContinuation<Bool, Never>?>

    private init(_ continuation: CheckedContinuation<Bool, Never>) {
        waiting = Mutex(continuation)
    }

    /// - Returns: true also when the answer is an error; false when none has come in that time.
    static func comes(from path: String, within limit: Duration) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = DirectoryAnswer(continuation)
            // A thread of its own: it is left to itself when the kernel does not come back.
            DispatchQueue(label: "doctor.directory").async {
                // No cache of this host's can tell how much room there is.
                var status = statvfs()
                _ = statvfs(path, &status)
                answer.give(true)
            }
            let seconds = Double(limit / .seconds(1))
            DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { answer.give(false) }
        }
    }

    /// The first one counts.
    private func give(_ answer: Bool) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(returning: answer)
    }
}
