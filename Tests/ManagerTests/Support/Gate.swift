import Manager
import Synchronization

/// Holds calls back until a test lets them go on.
final class Gate: Sendable {
    enum End: Sendable {
        case opened, timedOut, cancelled
    }

    private struct State {
        var isOpen = false
        var nextKey = 0
        var waiting: [Int: CheckedContinuation<End, Never>] = [:]
        var over: [Int: End] = [:]
    }

    private let state = Mutex(State())

    var waiting: Int { state.withLock(\.waiting.count) }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: .opened) }
    }

    /// - Parameter isStubborn: does not care about cancellation, as a call in the kernel does not.
    func wait(until deadline: BootInstant, on clock: TestClock, isStubborn: Bool) async -> End {
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        let timer = Task { if (try? await clock.sleep(until: deadline)) != nil { end(key, .timedOut) } }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let end = state.withLock { state -> End? in
                    if state.isOpen { return .opened }
                    if let over = state.over.removeValue(forKey: key) { return over }
                    state.waiting[key] = continuation
                    return nil
                }
                if let end { continuation.resume(returning: end) }
            }
        } onCancel: {
            if !isStubborn { end(key, .cancelled) }
        }
    }

    private func end(_ key: Int, _ end: End) {
        let continuation = state.withLock { state in
            let continuation = state.waiting.removeValue(forKey: key)
            if continuation == nil { state.over[key] = end }
            return continuation
        }
        continuation?.resume(returning: end)
    }
}
