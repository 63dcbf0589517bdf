import GroupSPI
import Swarm
import Synchronization

/// The swarm object behind a stub: it takes an update that names its version, as the Engine does, and misbehaves as told.
final class StubSwarm: Sendable {
    /// What is to happen at one update, in place of a plain answer.
    enum Turn: Sendable {
        case plain
        /// Takes place, and nobody is told.
        case appliedThenHang, appliedThenDrop
        /// Does not take place (yet), and nobody is told; see `applyHeld`.
        case held, heldThenHang
        /// The version rises before the update is looked at.
        case versionRises
        /// Somebody else writes the label before the update is looked at.
        case foreign(String)
        /// Takes place, nobody is told, and somebody else writes over it.
        case appliedThenOverwritten(String)
        /// A refusal with those words.
        case refuse(Int, String)
    }

    struct State {
        var version: UInt64 = 10
        var spec: SwarmSpec
        var turns: [Turn] = []
        var held: [(version: UInt64, spec: SwarmSpec)] = []
        /// Answers to the next readings, in place of the true one.
        var readings: [StubReply] = []
        /// Runs after each update that was looked at.
        var writes = 0
    }

    let state: Mutex<State>

    init(label: String? = nil, turns: [Turn] = [], readings: [StubReply] = []) throws {
        var spec = try SwarmSpec(JSONView(try Recorded("leader-swarm").body).member("Spec")?.raw ?? .null)
        if let label { spec = spec.setting(label: "infrakit", to: label) }
        state = Mutex(State(spec: spec, turns: turns, readings: readings))
    }

    var label: String? { state.withLock { $0.spec.label("infrakit") } }
    var spec: SwarmSpec { state.withLock { $0.spec } }
    var version: UInt64 { state.withLock { $0.version } }
    var writes: Int { state.withLock { $0.writes } }

    /// What the Engine had accepted and was slow with.
    func applyHeld() {
        state.withLock { state in
            for held in state.held { _ = Self.apply(held.spec, held.version, &state) }
            state.held = []
        }
    }

    func answer(_ request: StubRequest) -> StubReply {
        state.withLock { state in
            switch (request.method, request.path) {
            case ("GET", "/swarm"):
                if !state.readings.isEmpty { return state.readings.removeFirst() }
                return .answer(
                    200,
                    "{\"ID\":\"x\",\"Version\":{\"Index\":\(state.version)},\"Spec\":\(state.spec.raw.text)}"
                )
            case ("POST", "/swarm/update"):
                guard let version = request.version, let raw = try? RawJSON(request.body),
                    let spec = try? SwarmSpec(raw)
                else { return .answer(400, "{\"message\":\"bad request\"}") }
                state.writes += 1
                return update(spec, version, &state)
            default: return .answer(404, "{\"message\":\"page not found\"}")
            }
        }
    }

    private func update(_ spec: SwarmSpec, _ version: UInt64, _ state: inout State) -> StubReply {
        switch state.turns.isEmpty ? .plain : state.turns.removeFirst() {
        case .plain:
            return Self.apply(spec, version, &state)
        case .appliedThenHang:
            _ = Self.apply(spec, version, &state)
            return .hang
        case .appliedThenDrop:
            _ = Self.apply(spec, version, &state)
            return .drop
        case .held:
            state.held.append((version, spec))
            return .drop
        case .heldThenHang:
            state.held.append((version, spec))
            return .hang
        case .versionRises:
            state.version += 7
            return Self.apply(spec, version, &state)
        case .foreign(let text):
            state.spec = state.spec.setting(label: "infrakit", to: text)
            state.version += 1
            return Self.apply(spec, version, &state)
        case .appliedThenOverwritten(let text):
            _ = Self.apply(spec, version, &state)
            state.spec = state.spec.setting(label: "infrakit", to: text)
            state.version += 1
            return .drop
        case .refuse(let status, let words):
            return .answer(status, "{\"message\":\"\(words)\"}")
        }
    }

    private static func apply(_ spec: SwarmSpec, _ version: UInt64, _ state: inout State) -> StubReply {
        guard version == state.version else {
            return .answer(500, "{\"message\":\"rpc error: code = Unknown desc = update out of sequence\"}\n")
        }
        state.spec = spec
        state.version += 3
        return .noContent
    }
}
