internal import Synchronization

/// A place for one reply: one task waits, and whoever is first (the reply, the end of the connection, a cancellation)
/// fills it.
final class PendingReply: Sendable {
    typealias Outcome = Result<ReplyEnvelope, TransportError>

    private enum State {
        case empty
        case awaited(CheckedContinuation<Outcome, Never>)
        case filled(Outcome)
    }

    private let state = Mutex(State.empty)

    var isFilled: Bool {
        state.withLock { state in
            if case .filled = state { true } else { false }
        }
    }

    /// Only the first outcome counts.
    func fill(_ outcome: Outcome) {
        let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            switch state {
            case .empty:
                state = .filled(outcome)
                return nil
            case .awaited(let continuation):
                state = .filled(outcome)
                return continuation
            case .filled:
                return nil
            }
        }
        continuation?.resume(returning: outcome)
    }

    /// Waits for the outcome; `cancelled` as soon as the task is.
    func outcome() async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Outcome? in
                    if case .filled(let outcome) = state { return outcome }
                    state = .awaited(continuation)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            fill(.failure(.cancelled))
        }
    }
}
