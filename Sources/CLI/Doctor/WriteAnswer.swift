internal import CLinux
internal import Glibc

/// Whether a directory takes writes: a frozen file system keeps whoever writes waiting, and lets no signal through.
enum WriteAnswer {
    /// A process of its own tries it, which is left to itself when it does not come back: a thread would keep this process from
    /// ending.
    ///
    /// - Returns: true also when the answer is an error; false when none has come in that time.
    static func comes(from directory: String, within limit: Duration) async -> Bool {
        let child = clinux_try_write(directory)
        // Other checks tell what is wrong.
        guard child > 0 else { return true }
        let end = ContinuousClock.now + limit
        while waitpid(child, nil, WNOHANG) == 0 {
            guard .now < end else {
                kill(child, SIGKILL)
                return false
            }
            try? await Task.sleep(for: .milliseconds(5), clock: .suspending)
        }
        return true
    }
}
