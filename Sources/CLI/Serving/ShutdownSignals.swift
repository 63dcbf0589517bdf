internal import CLinux
@preconcurrency internal import Dispatch
internal import Glibc

/// SIGTERM, SIGINT and SIGHUP, which ask this program to end in order.
///
/// From its making on they do not end the process by themselves any more, and none is lost that arrives before somebody
/// waits. To be made once.
final class ShutdownSignals: Sendable {
    private let arrivals: AsyncStream<Void>
    private let source: any DispatchSourceRead

    /// - Throws: ``Failure`` when the system has no descriptor left.
    init() throws {
        let descriptor = clinux_catch_end_signals()
        guard descriptor >= 0 else {
            throw Failure("cannot set up signal handling: \(String(cString: strerror(-descriptor)))")
        }
        let (arrivals, continuation) = AsyncStream.makeStream(of: Void.self)
        self.arrivals = arrivals
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
        source.setEventHandler {
            var count: UInt64 = 0
            if read(descriptor, &count, MemoryLayout.size(ofValue: count)) > 0 { continuation.yield() }
        }
        source.activate()
    }

    deinit { source.cancel() }

    /// Waits for the next one.
    ///
    /// - Returns: false when the task was cancelled instead.
    @discardableResult
    func next() async -> Bool {
        for await _ in arrivals { return true }
        return false
    }
}
