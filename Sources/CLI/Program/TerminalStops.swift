internal import Glibc

/// Ctrl-Z, and what a terminal does to a program in the background. A program that such a signal stops amid a long reading of the
/// database keeps everybody else from writing for as long as it is stopped: nobody leads meanwhile.
enum TerminalStops {
    /// Runs a body to its end before the process stops.
    static func deferred<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        let signals = [SIGTSTP, SIGTTIN, SIGTTOU]
        let before = signals.map { signal($0, SIG_IGN) }
        defer { for (number, handler) in zip(signals, before) { signal(number, handler) } }
        return try await body()
    }
}
