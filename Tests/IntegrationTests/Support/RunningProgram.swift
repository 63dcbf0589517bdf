import Glibc
import Synchronization
import Testing

/// A program that a test has started. Its output goes to files, so that it never waits for a reader.
final class RunningProgram: Sendable {
    let pid: pid_t
    let words: [String]
    private let outputPath: String
    private let errorPath: String
    private let ended = Mutex<Ending?>(nil)

    /// How a program ended.
    enum Ending: Hashable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    /// - Parameters:
    ///   - words: the path of the program and its arguments.
    ///   - environment: the whole of it.
    ///   - input: a file for its standard input.
    ///   - files: the beginning of the paths of the files that take its output.
    init(_ words: [String], environment: [String: String], input: String = "/dev/null", files: String) throws {
        self.words = words
        outputPath = files + ".out"
        errorPath = files + ".err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // Nothing of the test runner's own: the tests count descriptors.
        if let closeFrom = Self.closeFrom { _ = closeFrom(&actions, 3) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // A shell that runs the tests in the background has them ignore SIGINT, and what they start would inherit that.
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, words[0], &actions, &attributes, &arguments, &variables)
        guard code == 0 else { throw Trouble("cannot start \(words[0]): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    private typealias CloseFrom =
        @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

    /// The C library has it, its Swift module has not.
    private static let closeFrom: CloseFrom? = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
        unsafeBitCast($0, to: CloseFrom.self)
    }

    var output: String { Files.read(outputPath) ?? "" }
    var errors: String { Files.read(errorPath) ?? "" }

    /// How it ended; nil while it runs.
    var ending: Ending? {
        ended.withLock { ended in
            if let ended { return ended }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            let signal = status & 0x7F
            ended = signal == 0 ? .exit((status >> 8) & 0xFF) : .signal(signal)
            return ended
        }
    }

    var isRunning: Bool { ending == nil }

    /// Does nothing when it has ended: its number may be another's by then.
    func send(_ signal: Int32) {
        ended.withLock { ended in
            if ended == nil { kill(pid, signal) }
        }
    }

    /// Whether each of its threads stands still: a signal reaches them one after the other.
    var isStopped: Bool {
        let threads = "/proc/\(pid)/task"
        return Files.names(in: threads).allSatisfy { thread in
            // The state follows the name in parentheses, which may hold anything.
            Files.read("\(threads)/\(thread)/stat")?.split(separator: ")").last?.hasPrefix(" T") ?? true
        }
    }

    /// Waits for its end.
    @discardableResult
    func end(within limit: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation) async throws
        -> Ending
    {
        try await eventually("'\(shown)' ends", within: limit, sourceLocation: sourceLocation) { ending }
    }

    func expectEnd(_ expected: Ending, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let ending = try await end(sourceLocation: sourceLocation)
        #expect(ending == expected, "\(shown)\n\(errors)", sourceLocation: sourceLocation)
    }

    /// Ends it at once, as a crash does.
    func crash() async throws {
        send(SIGKILL)
        try await end()
    }

    /// The descriptors that it has open.
    var descriptorCount: Int { Files.names(in: "/proc/\(pid)/fd").count }

    private var shown: String {
        ([words[0].split(separator: "/").last.map(String.init) ?? ""] + words.dropFirst()).joined(separator: " ")
    }
}

/// What a command printed, and its exit status.
struct Finished: CustomStringConvertible {
    let words: [String]
    /// Negative: the number of the signal that ended it.
    let status: Int32
    let output: String
    let errors: String

    var description: String { "\(words.joined(separator: " ")) → \(status)\n\(output)\n\(errors)" }
}
