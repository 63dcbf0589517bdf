internal import Glibc
internal import NIOCore

/// Patience with a plugin that has more callers at its door than its queue holds: connecting to its Unix socket then
/// fails at once, and works a little later.
struct ConnectBackoff {
    private static let longest = Duration.milliseconds(100)
    private var pause = Duration.milliseconds(2)

    /// The error says that the queue is full; nothing was sent.
    static func calls(for error: any Error) -> Bool {
        (error as? IOError)?.errnoCode == EAGAIN
    }

    /// False when the task was cancelled meanwhile.
    mutating func wait() async -> Bool {
        do {
            try await Task.sleep(for: pause, clock: .suspending)
        } catch {
            return false
        }
        pause = min(pause * 2, Self.longest)
        return true
    }
}
