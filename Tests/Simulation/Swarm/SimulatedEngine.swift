internal import SeededRandom
internal import Swarm

/// A node's Engine as one process asks it: with time limits, lost answers, and writes that come through when nobody waits for
/// them any more.
struct SimulatedEngine: SwarmEngine {
    let world: World
    let swarm: SimulatedSwarm
    let node: SimulatedSwarm.Node
    let process: SimulatedProcess
    let address: EngineAddress

    private var id: String { node.host.name }

    func info(within limit: Duration?) async throws(EngineError) -> EngineInfo {
        try await ask(limit) { EngineInfo(nodeID: id, state: .active, isManager: true, trouble: "") }
    }

    func node(_ id: String, within limit: Duration?) async throws(EngineError) -> SwarmNode {
        try await ask(limit) {
            guard let standing = swarm.standing(of: node) else { return nil }
            return SwarmNode(id: id, hostName: id, manager: .init(isLeader: standing.leads, isReachable: true))
        }
    }

    func nodes(within limit: Duration?) async throws(EngineError) -> [SwarmNode] {
        try await ask(limit) {
            guard let standing = swarm.standing(of: node) else { return nil }
            return swarm.nodes.enumerated().map { index, other in
                let isReachable = standing.seesMajority ? other.isWell || other === node : other === node
                return SwarmNode(
                    id: other.host.name,
                    hostName: other.host.name,
                    manager: .init(isLeader: index == standing.leader, isReachable: isReachable)
                )
            }
        }
    }

    func swarm(within limit: Duration?) async throws(EngineError) -> SwarmObject {
        try await ask(limit) { swarm.read(by: node) }
    }

    func update(_ spec: SwarmSpec, version: UInt64, within limit: Duration?) async throws(EngineError) {
        let result: Result<Void, EngineError> = await exchange(limit) { answer in
            let weather = node.host.storage
            var chance = world.random.below(1000)
            func isHit(_ share: Int) -> Bool {
                chance -= share
                return chance < 0
            }
            func apply() -> Result<Void, EngineError> {
                swarm.update(spec, version: version, by: process)
                    ? .success(()) : .failure(EngineError(.lostRace, "update out of sequence"))
            }
            guard node.isWell, swarm.nodes[swarm.leader].isWell, swarm.standing(of: node)?.seesMajority == true else {
                // Some of those that hung come through when the swarm has a leader again, or later.
                if world.random.below(2) == 0 { later { _ = apply() } }
                if world.random.below(2) == 0 { answer(.failure(Self.noQuorum)) }
                return
            }
            if isHit(weather.failure) { return answer(.failure(EngineError(.notRunning, "no Engine"))) }
            if isHit(weather.busy / 2) { swarm.touch() }
            if isHit(weather.hanging) { return later { _ = apply() } }
            if isHit(weather.ambiguity) {
                if world.random.below(2) == 0 { later { _ = apply() } } else { _ = apply() }
                return answer(.failure(Self.lost))
            }
            answer(apply())
        }
        do throws(EngineError) {
            try result.get()
        } catch  where world.broken == .unknownToldAsRefused && error.leavesOutcomeOpen {
            throw EngineError(.other, "nothing was written", status: 400)
        }
    }

    private static let noQuorum = EngineError(.noQuorum, "the swarm does not have a leader", status: 500)
    private static let lost = EngineError(.lost, "the connection was lost")
    private static let over = EngineError(.cancelled, "the schedule is over")

    private func later(_ action: @escaping () -> Void) {
        world.scheduler.plan(after: world.random.below(20_000_000_000), for: world.scheduler.world, action)
    }

    // MARK: - One request

    /// - Parameter body: what the Engine answers; nil for nothing, ever.
    private func ask<Value: Sendable>(
        _ limit: Duration?,
        _ body: @escaping () -> Value?
    ) async throws(EngineError) -> Value {
        try await exchange(limit) { answer in
            let weather = node.host.storage
            guard !node.host.isOff, node.trouble != .hanging || node.isWaking else { return }
            if world.random.below(1000) < weather.failure { return answer(.failure(Self.lost)) }
            if world.random.below(1000) < weather.hanging { return }
            if let value = body() { answer(.success(value)) }
        }.get()
    }

    private func exchange<Value: Sendable>(
        _ limit: Duration?,
        _ body: @escaping (_ answer: @escaping (Result<Value, EngineError>) -> Void) -> Void
    ) async -> Result<Value, EngineError> {
        let host = node.host
        let scheduler = world.scheduler
        return await process.wait(on: scheduler, fallback: .failure(Self.over)) { promise in
            promise.whenCancelled = { [unowned promise] in promise.fulfil(.failure(.init(.cancelled, "given up"))) }
            let length = host.trueLength(limit ?? .seconds(2))
            host.planAwake(at: scheduler.now + length, for: process) {
                promise.fulfil(.failure(EngineError(.timeout, "no answer in time")))
            }
            // What was sent is the Engine's, whatever becomes of who asked.
            scheduler.plan(after: world.random.below(max(1, host.storage.latency)), for: scheduler.world) {
                body { result in
                    let delay = world.random.below(max(1, host.storage.answerLatency))
                    scheduler.plan(after: delay, for: process) { promise.fulfil(result) }
                }
            }
        }
    }
}
