internal import Dispatch
internal import Synchronization

/// A thread that owns one connection, and the work that waits for it.
///
/// SQLite may hang in the kernel for minutes when the file lies on a server that is away. So it never runs on a thread
/// that others need, and no caller waits for it longer than it wants to: work that has not begun when its time is up is
/// taken back, work that has begun is left to itself and its outcome is unknown.
final class DatabaseQueue: Sendable {
    /// What the work does to the file: it decides what a caller hears whose time is up.
    enum Purpose {
        case reading, writing
    }

    private struct Waiting {
        var list: [Job] = []
        /// The thread will come for them, without a delay.
        var isCalled = false
        /// When it has to come for the first of those that linger.
        var end: DispatchTime?
    }

    private let queue: DispatchQueue
    private let waiting = Mutex(Waiting())
    private let timeouts: JobTimeouts
    /// Ends the lingering.
    private let timer: CoalescingTimer
    private let perform: @Sendable ([Job], _ more: () -> [Job]) -> Void

    /// - Parameters:
    ///   - label: the thread's name.
    ///   - path: the file, for messages.
    ///   - perform: carries out all the work that waited, on the queue's thread, in order, and what it takes by `more` of the work
    ///     that has come meanwhile. It calls ``Job/begin()`` on each piece right before its body, leaves out what has not
    ///     begun, and settles all the rest.
    init(
        label: String,
        path: String,
        purpose: Purpose,
        perform: @escaping @Sendable ([Job], _ more: () -> [Job]) -> Void
    ) {
        self.queue = DispatchQueue(label: label)
        self.timeouts = JobTimeouts { hadBegun in .late(path, purpose, hadBegun: hadBegun) }
        self.timer = CoalescingTimer(on: queue)
        self.perform = perform
    }

    /// Runs `body` on the thread.
    ///
    /// - Parameters:
    ///   - timeout: how long the caller waits.
    ///   - linger: how long it may wait for other work, to be carried out together with it.
    ///   - verify: after a commit whose outcome is unknown, tells whether it took place after all; nil when nothing can
    ///     tell.
    /// - Throws: what `body` throws as ``StoreError``; when the time was up, `busy` if it had not begun, and else
    ///   `unknownOutcome` of a write, `noAnswer` of a read.
    func run<Result: Sendable>(
        within timeout: Duration,
        lingering linger: Duration = .zero,
        verify: (@Sendable (Connection, Result) throws -> Bool)? = nil,
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws(StoreError) -> Result {
        let result = await withCheckedContinuation { continuation in
            let box = ResultBox<Result>()
            let job = Job(
                body: { connection in box.set(try body(connection)) },
                verify: { connection in
                    guard let verify, let result = box.get() else { return nil }
                    return try verify(connection, result)
                },
                settle: { failure in
                    if let failure {
                        continuation.resume(returning: Swift.Result<Result, StoreError>.failure(failure))
                    } else if let result = box.get() {
                        continuation.resume(returning: .success(result))
                    } else {
                        continuation.resume(returning: .failure(StoreError(.io, "the store gave no result")))
                    }
                }
            )
            enqueue(job, lingering: linger)
            timeouts.add(job, within: timeout)
        }
        return try result.get()
    }

    /// How much work has not been handed to the thread yet.
    var waitingCount: Int { waiting.withLock { $0.list.count } }

    private func enqueue(_ job: Job, lingering linger: Duration) {
        let end = linger > .zero ? DispatchTime.now() + .nanoseconds(linger.nanoseconds) : nil
        let isCalled = waiting.withLock { waiting in
            waiting.list.append(job)
            if let end {
                waiting.end = min(waiting.end ?? end, end)
                return waiting.isCalled
            }
            defer { waiting.isCalled = true }
            return waiting.isCalled
        }
        guard !isCalled else { return }
        guard let end else { return queue.async { self.drain() } }
        timer.set(end) { [weak self] in self?.endLingering() }
    }

    /// - Returns: when to come again.
    private func endLingering() -> DispatchTime? {
        if let end = waiting.withLock(\.end), end > .now() { return end }
        drain()
        return waiting.withLock(\.end)
    }

    private func drain() {
        let batch = take()
        if !batch.isEmpty { perform(batch, take) }
    }

    private func take() -> [Job] {
        waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return waiting.list
        }
    }
}

extension StoreError {
    fileprivate static func late(_ path: String, _ purpose: DatabaseQueue.Purpose, hadBegun: Bool) -> StoreError {
        switch (purpose, hadBegun) {
        case (.reading, false):
            StoreError(.busy, "\(path) does not answer in time. Is its file system reachable?")
        case (.writing, false):
            StoreError(.busy, "\(path) does not answer in time; nothing was stored. Is its file system reachable?")
        case (.reading, true):
            StoreError(.noAnswer, "\(path) does not answer in time. Is its file system reachable?")
        case (.writing, true):
            StoreError(
                .unknownOutcome,
                "\(path) does not answer in time, and it is not known whether the change was stored. Check the "
                    + "history before you try again."
            )
        }
    }
}

/// Holds what the body returned until the commit is known.
private final class ResultBox<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    func set(_ newValue: Value) { value.withLock { $0 = newValue } }
    func get() -> Value? { value.withLock { $0 } }
}
