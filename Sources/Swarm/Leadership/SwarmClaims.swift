internal import Synchronization

/// What this node may claim, for whoever asks at the moment of acting.
final class SwarmClaims: Sendable {
    private struct State {
        var detector: SwarmDetector
        var nodes: SwarmObservation.Nodes?
        var rival: String?
    }

    private let state: Mutex<State>
    private let now: @Sendable () -> ContinuousClock.Instant

    init(_ settings: SwarmDetectorSettings, _ now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.now = now
        state = Mutex(State(detector: SwarmDetector(settings)))
    }

    func handle(_ observation: SwarmObservation) {
        state.withLock { state in
            state.detector.handle(observation)
            state.nodes = observation.nodes ?? state.nodes
        }
    }

    func skipSettling() { state.withLock { $0.detector.skipSettling() } }

    var claim: SwarmClaim { state.withLock { $0.detector.claim(at: now()) } }

    /// This node, and the one that leads, as they were last seen.
    var nodes: SwarmObservation.Nodes? { state.withLock(\.nodes) }

    /// The instance of another manager on this node that holds the lease and may still act; nil when there is none.
    var rival: String? {
        get { state.withLock(\.rival) }
        set { state.withLock { $0.rival = newValue } }
    }
}
