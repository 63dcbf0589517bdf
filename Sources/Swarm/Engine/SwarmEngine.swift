/// What is asked of a node's Docker Engine. Each request has a deadline; see ``EngineClient``.
package protocol SwarmEngine: Sendable {
    /// For people.
    var address: EngineAddress { get }

    func info(within limit: Duration?) async throws(EngineError) -> EngineInfo
    func node(_ id: String, within limit: Duration?) async throws(EngineError) -> SwarmNode
    func nodes(within limit: Duration?) async throws(EngineError) -> [SwarmNode]
    func swarm(within limit: Duration?) async throws(EngineError) -> SwarmObject
    func update(_ spec: SwarmSpec, version: UInt64, within limit: Duration?) async throws(EngineError)
}

extension EngineClient: SwarmEngine {}
