internal import GroupSPI

/// What `/info` tells of the Engine's swarm.
public struct EngineInfo: Hashable, Sendable {
    /// `LocalNodeState`. The Engine has had these five since 1.13.
    public enum State: Hashable, Sendable {
        case inactive, pending, active, locked
        /// `error`, or a word that is not known here.
        case trouble(String)
    }

    /// Empty outside a swarm, and while the swarm is locked.
    public let nodeID: String
    public let state: State
    /// A manager. Stays true when the managers have lost their leader; see ``trouble``.
    public let isManager: Bool
    /// What the Engine complains about, else empty: the answer is 200 all the same.
    public let trouble: String

    public init(nodeID: String, state: State, isManager: Bool, trouble: String) {
        self.nodeID = nodeID
        self.state = state
        self.isManager = isManager
        self.trouble = trouble
    }

    init(_ answer: [UInt8], engine: String) throws(EngineError) {
        guard let swarm = (try? JSONView(answer))?.member("Swarm"), swarm.kind == .object,
            let word = swarm.member("LocalNodeState")?.string
        else { throw .malformed(engine, "/info without Swarm") }
        let state: State =
            switch word {
            case "inactive", "": .inactive
            case "pending": .pending
            case "active": .active
            case "locked": .locked
            default: .trouble(word)
            }
        self.init(
            nodeID: swarm.member("NodeID")?.string ?? "",
            state: state,
            isManager: swarm.member("ControlAvailable")?.bool ?? false,
            trouble: swarm.member("Error")?.string ?? ""
        )
    }
}
