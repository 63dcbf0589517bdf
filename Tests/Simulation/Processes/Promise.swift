/// Something that a task waits for, and that can come to nothing.
protocol Endable: AnyObject {
    func giveUp()
}

/// The answer that a task of a process waits for.
final class Promise<Value: Sendable>: Endable, @unchecked Sendable {
    private let process: SimulatedProcess
    private let scheduler: Scheduler
    private let key: Int
    /// When the schedule is over.
    private let fallback: Value
    private var continuation: UnsafeContinuation<Value, Never>?
    private var isCancelled = false
    private(set) var isDone = false
    /// What becomes of it when the waiting task is cancelled.
    var whenCancelled: (() -> Void)?

    init(_ process: SimulatedProcess, _ scheduler: Scheduler, fallback: Value) {
        self.process = process
        self.scheduler = scheduler
        self.fallback = fallback
        key = process.makeKey()
    }

    func fulfil(_ value: Value) {
        guard !isDone, let continuation else { return }
        isDone = true
        self.continuation = nil
        whenCancelled = nil
        process.promises[key] = nil
        scheduler.act(as: process) { continuation.resume(returning: value) }
    }

    func giveUp() { fulfil(fallback) }

    fileprivate func begin(_ continuation: UnsafeContinuation<Value, Never>, _ start: (Promise) -> Void) {
        self.continuation = continuation
        process.promises[key] = self
        guard !process.isOver else { return giveUp() }
        start(self)
        if isCancelled { whenCancelled?() }
    }

    fileprivate func cancel() {
        isCancelled = true
        if continuation != nil { whenCancelled?() }
    }
}

extension SimulatedProcess {
    /// Waits for an answer.
    ///
    /// - Parameters:
    ///   - fallback: the answer when the schedule is over.
    ///   - start: brings the answer about.
    func wait<Value: Sendable>(
        on scheduler: Scheduler,
        fallback: Value,
        _ start: (Promise<Value>) -> Void
    ) async -> Value {
        let promise = Promise(self, scheduler, fallback: fallback)
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { promise.begin($0, start) }
        } onCancel: {
            promise.cancel()
        }
    }
}
