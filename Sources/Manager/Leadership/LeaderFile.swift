internal import Dispatch
internal import Glibc
internal import Synchronization

/// The original way of naming a leader: a shared file that holds the name of the manager that is to lead.
struct LeaderFile: Sendable {
    let path: String
    /// A manager leads when the file holds its name; replicas that share one are told apart by their ids.
    let names: Set<String>
    /// Longer than any reading should take: the file may lie on a server that is away.
    let timeout: Duration

    /// - Returns: nil when the file names this manager; else why it must not lead. A file that cannot be read names nobody.
    func hindrance() async -> String? {
        switch await read() {
        case .success(let content) where names.contains(content): nil
        case .success(""): "the leader file \(path) is empty"
        case .success(let content): "the leader file \(path) names '\(content)'"
        case .failure(let error): "\(error)"
        }
    }

    private func read() async -> Result<String, SettingsError> {
        await withCheckedContinuation { continuation in
            let answer = Answer(continuation: continuation)
            // Off the pool of tasks: a reading may hang in the kernel.
            DispatchQueue.global().async { [path] in answer.give(Self.contents(path)) }
            let nanoseconds = (BootInstant(nanoseconds: 0) + timeout).nanoseconds
            DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [path] in
                answer.give(.failure(SettingsError(message: "the leader file \(path) does not answer")))
            }
        }
    }

    private static func contents(_ path: String) -> Result<String, SettingsError> {
        guard let text = ProcFS.read(path) else {
            return .failure(
                SettingsError(message: "the leader file \(path) cannot be read: \(String(cString: strerror(errno)))")
            )
        }
        var content = Substring(text)
        while content.last?.isWhitespace == true { content.removeLast() }
        return .success(String(content.drop(while: \.isWhitespace)))
    }

    /// Answers once, whoever is first.
    private final class Answer: Sendable {
        private let continuation: Mutex<CheckedContinuation<Result<String, SettingsError>, Never>?>

        init(continuation: CheckedContinuation<Result<String, SettingsError>, Never>) {
            self.continuation = Mutex(continuation)
        }

        func give(_ result: Result<String, SettingsError>) {
            let continuation = continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }
            continuation?.resume(returning: result)
        }
    }
}
