/// Asks the Engine whether its node leads the swarm.
public struct SwarmObserver: Sendable {
    private let engine: any SwarmEngine
    private let limit: Duration
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - client: asks the Engine.
    ///   - limit: for all requests of one look together.
    public init(_ client: EngineClient, within limit: Duration = .seconds(1)) {
        self.init(client, within: limit, now: { .now })
    }

    init(
        _ engine: any SwarmEngine,
        within limit: Duration,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.engine = engine
        self.limit = limit
        self.now = now
    }

    /// One look: `/info`, `/nodes/{id}`, `/nodes`. Never fails: what went wrong is an answer too.
    public func observe() async -> SwarmObservation {
        let askedAt = now()
        let (answer, nodes) = await look(until: askedAt + limit)
        return SwarmObservation(answer, nodes: nodes, askedAt: askedAt, answeredAt: now())
    }

    private func look(
        until end: ContinuousClock.Instant
    ) async -> (SwarmObservation.Answer, SwarmObservation.Nodes?) {
        do throws(EngineError) {
            let info = try await engine.info(within: rest(until: end))
            let name = "\(engine.address)"
            switch info.state {
            case .inactive: return (.excluded(reason: .notInSwarm(name)), nil)
            case .locked: return (.excluded(reason: .locked(name)), nil)
            case .pending: return (.unknown(reason: info.trouble.isEmpty ? .starting(name) : info.trouble), nil)
            case .trouble(let word):
                return (.unknown(reason: "the Engine's swarm is in state '\(word)': \(info.trouble)"), nil)
            case .active: break
            }
            guard info.trouble.isEmpty else { return (.unknown(reason: info.trouble), nil) }
            guard info.isManager else { return (.excluded(reason: "the Engine at \(name) is a swarm worker"), nil) }
            let node = try await engine.node(info.nodeID, within: rest(until: end))
            guard node.manager?.isLeader == true else {
                // Who leads is for people to know.
                let nodes = try? await engine.nodes(within: rest(until: end))
                return (.follower, SwarmObservation.Nodes(own: info.nodeID, leader: nodes?.leader))
            }
            let nodes = try await engine.nodes(within: rest(until: end))
            let seen = SwarmObservation.Nodes(own: info.nodeID, leader: nodes.leader)
            // The list is newer: between the two the office may have moved on.
            let own = nodes.first { $0.id == info.nodeID }
            guard own?.manager?.isLeader == true else { return (.follower, seen) }
            return (.leader(canSeeMajority: nodes.hasReachableMajority), seen)
        } catch {
            switch error.code {
            case .worker, .notInSwarm, .locked: return (.excluded(reason: error.message), nil)
            default: return (.unknown(reason: error.message), nil)
            }
        }
    }

    private func rest(until end: ContinuousClock.Instant) -> Duration {
        max(end - now(), .milliseconds(1))
    }
}
