internal import BenchmarkSupport
internal import Glibc
internal import Synchronization

/// A program that runs, as a process of its own. Its output goes to a file.
final class Program: Sendable {
    /// How a program ended.
    enum Ending: Hashable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    let pid: pid_t
    private let words: [String]
    private let outputPath: String
    private let ending = Mutex<Ending?>(nil)

    /// - Parameters:
    ///   - words: the path of the program and its arguments.
    ///   - environment: the whole of it.
    ///   - output: the file that takes what it prints.
    init(_ words: [String], environment: [String: String], output: String) throws {
        self.words = words
        outputPath = output
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // This program catches signals; what it starts has them as usual. And a process group of its own, so that ctrl-C
        // reaches this program alone, which then ends the others.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
        )
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, words[0], &actions, &attributes, &arguments, &variables)
        guard code == 0 else { throw BenchmarkError("cannot start \(words[0]): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    var output: String { Files.read(outputPath) ?? "" }

    var isRunning: Bool { reap(WNOHANG) == nil }

    /// Does nothing when it has ended: its number may be another's by then.
    func send(_ signal: Int32) {
        ending.withLock { ending in
            if ending == nil { kill(pid, signal) }
        }
    }

    /// Waits in the kernel.
    @discardableResult
    func waitForEnd() -> Ending {
        var info = siginfo_t()
        // Looked at first and taken away afterwards, so that others may look meanwhile.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return reap(0) ?? .signal(SIGKILL)
    }

    /// - Throws: with what it printed, unless it ended with that status.
    func requireExit(_ status: Int32 = 0) throws {
        let ending = waitForEnd()
        guard ending == .exit(status) else {
            throw BenchmarkError("'\(words.joined(separator: " "))' ended with \(ending): \(output)")
        }
    }

    private func reap(_ options: Int32) -> Ending? {
        ending.withLock { ending in
            if let ending { return ending }
            var status: Int32 = 0
            guard waitpid(pid, &status, options) == pid else { return nil }
            let signal = status & 0x7F
            ending = signal == 0 ? .exit((status >> 8) & 0xFF) : .signal(signal)
            return ending
        }
    }
}
