import GroupSPI
import Synchronization

/// A group plugin in memory that behaves like the recorded ones, remembers what it was asked, and can be made to wait.
final class ScriptedGroup: GroupEndpoint {
    struct Received: Hashable, Sendable {
        let request: GroupRequest
        let caller: Caller
    }

    private struct State {
        var groups: [GroupSpec]
        var received: [Received] = []
        var closedGates: [Identifier: [CheckedContinuation<Void, Never>]] = [:]
        var arrivals: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - groups: what is watched from the beginning.
    ///   - holding: groups whose `describe` waits until ``open(_:)``, or until it is cancelled.
    init(_ groups: [GroupSpec] = [], holding: Set<Identifier> = []) {
        let gates = Dictionary(uniqueKeysWithValues: holding.map { ($0, [CheckedContinuation<Void, Never>]()) })
        state = Mutex(State(groups: groups, closedGates: gates))
    }

    var received: [Received] { state.withLock { $0.received } }
    var requests: [GroupRequest] { received.map(\.request) }
    var groups: [GroupSpec] { state.withLock { $0.groups } }

    /// Returns when so many requests have arrived.
    func arrival(of count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                let isThere = state.received.count >= count
                if !isThere { state.arrivals.append((count, continuation)) }
                return isThere
            }
            if isThere { continuation.resume() }
        }
    }

    func open(_ id: Identifier) {
        let waiting = state.withLock { $0.closedGates.removeValue(forKey: id) } ?? []
        for continuation in waiting { continuation.resume() }
    }

    func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        let arrived = state.withLock { state in
            state.received.append(Received(request: request, caller: caller))
            let count = state.received.count
            defer { state.arrivals.removeAll { $0.count <= count } }
            return state.arrivals.filter { $0.count <= count }.map(\.continuation)
        }
        for continuation in arrived { continuation.resume() }
        if case .describe(let id) = request { await pass(id) }
        return try state.withLock { (state) throws(GroupError) in try Self.answer(request, &state.groups) }
    }

    private func pass(_ id: Identifier) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    guard !Task.isCancelled, state.closedGates[id] != nil else { return true }
                    state.closedGates[id]?.append(continuation)
                    return false
                }
                if isOpen { continuation.resume() }
            }
        } onCancel: {
            open(id)
        }
    }

    private static func answer(
        _ request: GroupRequest,
        _ groups: inout [GroupSpec]
    ) throws(GroupError) -> GroupReply {
        switch request {
        case .inspect:
            return .groups(groups)
        case .commit(let spec, let pretend):
            if spec.id == "unacceptable" { throw GroupError(.rejected, "no \"such\" size") }
            guard !pretend else { return .details("Would manage \(spec.id)") }
            groups.removeAll { $0.id == spec.id }
            groups.append(spec)
            return .details("Managing \(spec.id)")
        case .watch(let spec):
            guard !groups.contains(where: { $0.id == spec.id }) else { throw .alreadyWatched(spec.id) }
            groups.append(spec)
            return .ok
        case .describeUpdate(let spec):
            return .plan("Noop for \(spec.id)")
        case .update(let spec):
            try check(spec.id, groups)
            groups.removeAll { $0.id == spec.id }
            groups.append(spec)
            return .ok
        case .describe(let id):
            try check(id, groups)
            let instance = InstanceDescription(id: "i-1", logicalID: nil, tags: ["infrakit.group": id.text])
            return .description(GroupDescription([instance], isConverged: true))
        case .size(let id):
            try check(id, groups)
            return .size(3)
        case .setSize(let id, _), .destroyInstances(let id, _), .stopUpdate(let id):
            try check(id, groups)
            return .ok
        case .free(let id), .unwatch(let id), .destroy(let id):
            try check(id, groups)
            groups.removeAll { $0.id == id }
            return .ok
        }
    }

    private static func check(_ id: Identifier, _ groups: [GroupSpec]) throws(GroupError) {
        guard groups.contains(where: { $0.id == id }) else { throw .notWatched(id) }
    }
}

/// A manager whose store is a ``ScriptedGroup``.
struct ScriptedManager: ManagerEndpoint {
    let group: ScriptedGroup
    var leads = true
    var location: String?
    var storeFailure: GroupError?
    /// Whether the store answers nothing for as long as somebody waits.
    var storeHangs = false

    func isLeader() async -> Bool { leads }
    func leaderLocation() async -> String? { location }
    func status() async -> JSON { ["role": .string(leads ? "leader" : "follower")] }
    func lookForRequests() async -> Bool { leads }
    func storeOutcomes() async -> Bool { leads }
    func findLoop(through managers: [Identifier]) async -> Bool? { managers.contains("self") }
    func specs(within limit: Duration?) async throws(GroupError) -> [GroupSpec] {
        if let storeFailure { throw storeFailure }
        if storeHangs {
            try? await Task.sleep(for: limit ?? .seconds(3600), clock: .suspending)
            throw GroupError(.storeUnavailable, "no answer")
        }
        return group.groups
    }
}

extension GroupSpec {
    /// A spec with a size, as text that decoding and encoding would change.
    static func sample(_ id: Identifier) -> GroupSpec {
        GroupSpec(id: id, properties: RawJSON(checked: Array(#"{"z":1.0,"a":12345678901234567890123}"#.utf8)))
    }
}
