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

    /// How one node's Engine answers.
    enum Mood: Sendable {
        case well
        case hangs, drops
        /// As it was at that moment, whatever is read; it takes no updates.
        case old(Past)
    }

    /// What a node that was stopped tells when it goes on.
    struct Past: Sendable {
        let version: UInt64
        let spec: SwarmSpec
        let leader: String?
    }

    struct State {
        /// The swarm's.
        var id = "x"
        var nodes = ["n1"]
        /// The node that leads.
        var leader: String? = "n1"
        var moods: [String: Mood] = [:]
        /// Runs once before that node's next request with that method and path.
        var hooks: [Hook] = []
        var version: UInt64 = 10
        var spec: SwarmSpec
        var turns: [Turn] = []
        var held: [(version: UInt64, spec: SwarmSpec)] = []
        /// Answers to the next readings, in place of the true one.
        var readings: [StubReply] = []
        /// Runs after each update that was looked at.
        var writes = 0
    }

    struct Hook: Sendable {
        let node: String
        let method: String
        let path: String
        let body: @Sendable () -> Void
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

    var past: Past {
        state.withLock { Past(version: $0.version, spec: $0.spec, leader: $0.leader) }
    }

    /// Sets a label as any other client of the swarm does; nil removes it.
    func put(_ label: String, _ text: String?) {
        state.withLock { state in
            if let text {
                state.spec = state.spec.setting(label: label, to: text)
            } else {
                let rest = state.spec.raw.text.replacing("\"\(label)\":\"\(state.spec.label(label) ?? "")\"", with: "")
                let tidy = rest.replacing("{,", with: "{").replacing(",}", with: "}").replacing(",,", with: ",")
                if let raw = try? RawJSON(tidy), let spec = try? SwarmSpec(raw) { state.spec = spec }
            }
            state.version += 1
        }
    }

    func turn(_ turns: Turn...) { state.withLock { $0.turns += turns } }
    func lead(_ node: String?) { state.withLock { $0.leader = node } }
    func mood(_ node: String, _ mood: Mood) { state.withLock { $0.moods[node] = mood } }

    /// - Parameter body: runs once before that node's next such request is looked at.
    func before(_ node: String, _ method: String, _ path: String, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.hooks.append(Hook(node: node, method: method, path: path, body: body)) }
    }

    /// As the Engine of one of the nodes.
    func answer(_ request: StubRequest, at node: String) -> StubReply {
        let (mood, hook) = state.withLock { state -> (Mood, Hook?) in
            let index = state.hooks.firstIndex {
                $0.node == node && $0.method == request.method && $0.path == request.path
            }
            return (state.moods[node] ?? .well, index.map { state.hooks.remove(at: $0) })
        }
        hook?.body()
        switch mood {
        case .well: return answer(request, at: node, past)
        case .hangs: return .hang
        case .drops: return .drop
        case .old(let past):
            guard request.method == "GET" else { return .hang }
            guard request.path == "/swarm" else { return answer(request, at: node, past) }
            return Self.swarm(state.withLock(\.id), past.version, past.spec)
        }
    }

    private func answer(_ request: StubRequest, at node: String, _ past: Past) -> StubReply {
        let nodes = state.withLock(\.nodes)
        func show(_ name: String) -> String {
            let leads = name == past.leader ? "\"Leader\":true," : ""
            return "{\"ID\":\"\(name)\",\"Description\":{\"Hostname\":\"host-\(name)\"},"
                + "\"ManagerStatus\":{\(leads)\"Reachability\":\"reachable\"}}"
        }
        switch request.path {
        case "/info":
            return .answer(
                200,
                "{\"Swarm\":{\"NodeID\":\"\(node)\",\"LocalNodeState\":\"active\",\"ControlAvailable\":true,\"Error\":\"\"}}"
            )
        case "/nodes": return .answer(200, "[\(nodes.map(show).joined(separator: ","))]")
        case let path where path.hasPrefix("/nodes/"): return .answer(200, show(String(path.dropFirst(7))))
        default: return answer(request)
        }
    }

    private static func swarm(_ id: String, _ version: UInt64, _ spec: SwarmSpec) -> StubReply {
        .answer(200, "{\"ID\":\"\(id)\",\"Version\":{\"Index\":\(version)},\"Spec\":\(spec.raw.text)}")
    }

    func answer(_ request: StubRequest) -> StubReply {
        state.withLock { state in
            switch (request.method, request.path) {
            case ("GET", "/swarm"):
                if !state.readings.isEmpty { return state.readings.removeFirst() }
                return Self.swarm(state.id, state.version, state.spec)
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
