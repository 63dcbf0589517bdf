internal import Dispatch
internal import Glibc
internal import Platform
internal import Synchronization

/// Log lines on their way to a stream that may stand still: a terminal that was stopped, a pipe that nobody reads.
///
/// Whoever logs never waits. A thread writes the lines in their order. What does not fit is dropped, counted, and told as a line
/// of its own when the stream takes lines again.
public final class LogBuffer: Sendable {
    private struct State {
        var lines: [String] = []
        /// Bytes of the lines that wait, and of those that are being written.
        var size = 0
        var dropped = 0
        var hasThread = false
        /// The thread looks for more before it sleeps.
        var isAwake = false
        var notice: @Sendable (Int) -> String = { "\($0) log lines were dropped\n" }
    }

    /// Thousands of lines.
    public static let standardCapacity = 1024 * 1024

    private let capacity: Int
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - capacity: how many bytes may wait.
    ///   - write: writes whole lines, and may block for as long as it likes.
    public init(capacity: Int = standardCapacity, write: @escaping @Sendable (String) -> Void) {
        self.capacity = capacity
        self.write = write
    }

    /// - Parameter notice: the line that tells how many were dropped, with its line feed.
    public func tellDropped(_ notice: @escaping @Sendable (Int) -> String) { state.withLock { $0.notice = notice } }

    /// Whether anything has ever been put into it.
    public var isInUse: Bool { state.withLock(\.hasThread) }

    /// - Parameter text: whole lines, with their line feeds.
    public func put(_ text: String) {
        let size = text.utf8.count
        let (isFirst, sleeps) = state.withLock { state -> (Bool, Bool) in
            guard state.size + size <= capacity else {
                state.dropped += 1
                return (false, false)
            }
            state.lines.append(text)
            state.size += size
            defer { (state.hasThread, state.isAwake) = (true, true) }
            return (!state.hasThread, !state.isAwake)
        }
        if isFirst { startThread() }
        if sleeps { wake.signal() }
    }

    /// Waits until all that was put into it is written, but no longer than this: the stream may stand still for ever.
    ///
    /// Blocks its thread: for the end of a program.
    public func flush(within limit: Duration) {
        let deadline = ContinuousClock.now + limit
        while state.withLock({ $0.size > 0 }), ContinuousClock.now < deadline { usleep(1000) }
    }

    // MARK: - The thread

    private func startThread() {
        do throws(SystemError) {
            try DetachedThread.start { self.run() }
        } catch {
            // The next line tries again.
            state.withLock { $0.hasThread = false }
        }
    }

    /// For as long as the process lives.
    private func run() {
        while true {
            wake.wait()
            while let text = take() {
                write(text)
                written(text.utf8.count)
            }
        }
    }

    private func take() -> String? {
        state.withLock { state in
            guard !state.lines.isEmpty else {
                state.isAwake = false
                return nil
            }
            defer { state.lines = [] }
            return state.lines.joined()
        }
    }

    /// Until now nothing was accepted since the first line that was dropped: so those that wait are older than it.
    private func written(_ size: Int) {
        state.withLock { state in
            state.size -= size
            guard state.dropped > 0 else { return }
            let notice = state.notice(state.dropped)
            state.dropped = 0
            state.lines.append(notice)
            state.size += notice.utf8.count
        }
    }
}
