internal import Synchronization

/// What this node may claim, for whoever asks at the moment of acting.
final class SwarmClaims: Sendable {
    private struct State {
        var detector: SwarmDetector
        var nodes: SwarmObservation.Nodes?
    }

    private let state: Mutex<State>

    init(_ settings: SwarmDetectorSettings) {
        state = Mutex(State(detector: SwarmDetector(settings)))
    }

    func handle(_ observation: SwarmObservation) {
        state.withLock { state in
            state.detector.handle(observation)
            state.nodes = observation.nodes ?? state.nodes
        }
    }

    func skipSettling() { state.withLock { $0.detector.skipSettling() } }

    var claim: SwarmClaim { state.withLock { $0.detector.claim(at: .now) } }

    /// This node, and the one that leads, as they were last seen.
    var nodes: SwarmObservation.Nodes? { state.withLock(\.nodes) }
}
