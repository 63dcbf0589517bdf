/// Asks the Engine whether its node leads the swarm.
public struct SwarmObserver: Sendable {
    private let client: EngineClient
    private let limit: Duration

    /// - Parameter limit: for all requests of one look together.
    public init(_ client: EngineClient, within limit: Duration = .seconds(1)) {
        self.client = client
        self.limit = limit
    }

    /// One look: `/info`, then `/nodes/{id}`, and for a leader `/nodes`. Never fails: what went wrong is an answer too.
    public func observe() async -> SwarmObservation {
        let clock = ContinuousClock()
        let askedAt = clock.now
        let answer = await answer(until: askedAt + limit)
        return SwarmObservation(answer, askedAt: askedAt, answeredAt: clock.now)
    }

    private func answer(until end: ContinuousClock.Instant) async -> SwarmObservation.Answer {
        do throws(EngineError) {
            let info = try await client.info(within: rest(until: end))
            let engine = "\(client.address)"
            switch info.state {
            case .inactive: return .excluded(reason: .notInSwarm(engine))
            case .locked: return .excluded(reason: .locked(engine))
            case .pending: return .unknown(reason: "the Engine is joining its swarm")
            case .trouble(let word):
                return .unknown(reason: "the Engine's swarm is in state '\(word)': \(info.trouble)")
            case .active: break
            }
            guard info.trouble.isEmpty else { return .unknown(reason: info.trouble) }
            guard info.isManager else { return .excluded(reason: "the Engine at \(engine) is a swarm worker") }
            let node = try await client.node(info.nodeID, within: rest(until: end))
            guard node.manager?.isLeader == true else { return .follower }
            let nodes = try await client.nodes(within: rest(until: end))
            // The list is newer: between the two the office may have moved on.
            let own = nodes.first { $0.id == info.nodeID }
            guard own?.manager?.isLeader == true else { return .follower }
            return .leader(canSeeMajority: nodes.hasReachableMajority)
        } catch {
            switch error.code {
            case .worker, .notInSwarm, .locked: return .excluded(reason: error.message)
            default: return .unknown(reason: error.message)
            }
        }
    }

    private func rest(until end: ContinuousClock.Instant) -> Duration {
        max(end - ContinuousClock.now, .milliseconds(1))
    }
}
