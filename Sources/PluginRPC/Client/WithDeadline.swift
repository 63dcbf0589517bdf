internal import NIOCore
internal import Synchronization

/// Runs `body` where the caller runs, and cancels it when the time is up, or when the caller is; returns when `body` has
/// ended.
///
/// The clock is an event loop's, because that one forgets a timer that is not needed any more. A task that sleeps does
/// not: cancelled, it leaves its timer behind until the time has come, and of a busy manager's calls there are many
/// thousands within one timeout.
///
/// - Parameters:
///   - prolonging: asked when the time is up: whether `body` has as much time again; nil for never.
///   - body: ends promptly when it is cancelled.
func withDeadline<Value: Sendable>(
    until deadline: ContinuousClock.Instant,
    on loop: any EventLoop,
    prolonging: (@Sendable () async -> Bool)? = nil,
    _ body: @escaping @Sendable () async -> Value
) async -> Value {
    let (isLate, executor) = (Task.isCancelled, withUnsafeCurrentTask { $0?.unownedTaskExecutor?.asTaskExecutor() })
    // Not a child task: the timer could not cancel one.
    let task = Task.immediate(executorPreference: executor) {
        // It may begin before it can be cancelled from outside.
        if isLate { withUnsafeCurrentTask { $0?.cancel() } }
        return await body()
    }
    let rest = max(.zero, deadline - ContinuousClock.now)
    guard let prolonging else {
        let timer = loop.scheduleTask(in: TimeAmount(rest)) { task.cancel() }
        defer { timer.cancel() }
        return await value(of: task)
    }
    let alarm = Alarm()
    alarm.set(in: TimeAmount(rest), on: loop, prolonging) { task.cancel() }
    defer { alarm.stop() }
    return await value(of: task)
}

private func value<Value: Sendable>(of task: Task<Value, Never>) async -> Value {
    await withTaskCancellationHandler {
        await task.value
    } onCancel: {
        task.cancel()
    }
}

/// Rings once, or again and again for as long as it is put off.
private final class Alarm: Sendable {
    private let state = Mutex<(timer: Scheduled<Void>?, isStopped: Bool)>((nil, false))

    func set(
        in time: TimeAmount,
        on loop: any EventLoop,
        _ putOff: @escaping @Sendable () async -> Bool,
        _ ring: @escaping @Sendable () -> Void
    ) {
        let timer = loop.scheduleTask(in: time) { () -> Void in
            // Not a child task: a timer has none. It ends with the question, which has a limit of its own.
            Task {
                if await putOff() { self.set(in: time, on: loop, putOff, ring) } else { ring() }
            }
        }
        let isStopped = state.withLock { state in
            state.timer = timer
            return state.isStopped
        }
        if isStopped { timer.cancel() }
    }

    func stop() {
        let timer = state.withLock { state in
            state.isStopped = true
            return state.timer
        }
        timer?.cancel()
    }
}
