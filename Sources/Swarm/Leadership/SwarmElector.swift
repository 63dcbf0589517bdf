package import Replication
internal import Synchronization

/// The swarm's own leadership, as this node's Engine tells of it.
package final class SwarmElector: Elector {
    private struct State {
        var detector: SwarmDetector
        var nodes: ClusterNodes?
    }

    private let observer: SwarmObserver
    private let state: Mutex<State>
    private let now: @Sendable () -> ContinuousClock.Instant
    package let settling: Duration

    /// - Parameter limit: for all requests of one look together.
    package init(
        _ engine: any SwarmEngine,
        settings: SwarmDetectorSettings,
        within limit: Duration,
        clock: ReplicationClock = ReplicationClock()
    ) {
        observer = SwarmObserver(engine, within: limit, now: clock.now)
        now = clock.now
        settling = settings.settling
        state = Mutex(State(detector: SwarmDetector(settings)))
    }

    /// The swarm's own leadership has none.
    package var hasLeaseTTL: Bool { false }

    package func poll() async -> ElectionPoll {
        let observation = await observer.observe()
        state.withLock { state in
            state.detector.handle(observation)
            state.nodes = observation.nodes.map { ClusterNodes($0) } ?? state.nodes
        }
        return ElectionPoll(askedAt: observation.askedAt, trouble: observation.answer.trouble)
    }

    package func skipSettling() { state.withLock { $0.detector.skipSettling() } }

    package var claim: LeadershipClaim { state.withLock { $0.detector.claim(at: now()) } }

    package var nodes: ClusterNodes? { state.withLock(\.nodes) }
}

extension ClusterNodes {
    fileprivate init(_ nodes: SwarmObservation.Nodes) {
        self.init(own: nodes.own, leader: nodes.leader.map { Node(id: $0.id, hostName: $0.hostName) })
    }
}
