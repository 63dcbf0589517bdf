internal import CLinux
@preconcurrency internal import Dispatch
internal import Glibc

/// SIGINT, SIGTERM and SIGHUP while a command waits for something that it can take back.
enum Interruption {
    /// Runs `body` in a task that the first of these signals cancels. The next one ends the process, as it usually does.
    ///
    /// - Throws: ``Failure`` when the system has no descriptor left.
    static func catching<Result: Sendable>(
        in session: Session,
        _ body: @escaping @Sendable () async -> Result
    ) async throws -> Result {
        guard session.catchesSignals else { return await body() }
        let descriptor = clinux_catch_interruptions()
        guard descriptor >= 0 else {
            throw Failure("cannot set up signal handling: \(String(cString: strerror(-descriptor)))")
        }
        let task = Task { await body() }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
        source.setEventHandler {
            source.cancel()
            task.cancel()
        }
        // The last one to use it.
        source.setCancelHandler { clinux_leave_interruptions(descriptor) }
        source.activate()
        defer { source.cancel() }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
