import Synchronization

/// Lets so many tests run at a time: each starts several programs, and all of them share the processors.
final class Turnstile: Sendable {
    static let tests = Turnstile(places: 5)

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let places: Int
    private let state: Mutex<State>

    init(places: Int) {
        self.places = places
        state = Mutex(State(free: places))
    }

    /// Waits until no other test runs. Not for two at a time: each would wait for the other's places.
    func enterAlone() async {
        for _ in 0..<places { await enter() }
    }

    func leaveAlone() {
        for _ in 0..<places { leave() }
    }

    func enter() async {
        await withCheckedContinuation { continuation in
            let isIn = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isIn { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
