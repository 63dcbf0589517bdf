import GroupSPI
import Logging
import NIOPosix
import PluginRPC
import Synchronization

/// A group plugin in this process, on a real socket: it does what it is told, remembers all of it, and can be made to
/// refuse, to hang, to die, and to forget.
final class FakePlugin: GroupEndpoint {
    private struct State {
        var groups: [Identifier: GroupSpec] = [:]
        var refusals: [Identifier: String] = [:]
        /// Groups that it does not let go, and what it says then.
        var kept: [Identifier: String] = [:]
        var hanging: Set<Identifier> = []
        var waiting: [Identifier: [CheckedContinuation<Void, Never>]] = [:]
        var server: PluginServer?
        /// How often it has died. A call that began before ends with it.
        var deaths = 0
    }

    let host: String
    let socketPath: String
    private let journal: Journal
    private let state = Mutex(State())

    init(host: String, socketPath: String, journal: Journal) {
        self.host = host
        self.socketPath = socketPath
        self.journal = journal
    }

    // MARK: - Its life

    func start() async throws {
        let server = try await PluginServer.start(
            ServedPlugin(name: "group-stateless", group: self, manager: nil),
            at: socketPath,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "fake plugin") { _ in SwiftLogNoOpLogHandler() }
        )
        state.withLock { $0.server = server }
    }

    /// Ends as a process does: connections break, and what it knew is gone.
    func die() async {
        let server = state.withLock { state in
            defer { state.server = nil }
            return state.server
        }
        await server?.stop(grace: .zero)
        state.withLock { state in
            journal.letGo(state.groups.keys, by: host)
            state.groups = [:]
            state.deaths += 1
        }
        release()
    }

    func restart() async throws {
        await die()
        try await start()
    }

    // MARK: - Its script

    /// From now on, changes of that group are refused with these words.
    func refuse(_ group: Identifier, saying words: String) { state.withLock { $0.refusals[group] = words } }

    func accept(_ group: Identifier) { state.withLock { $0.refusals[group] = nil } }

    /// From now on, it does not let that group go.
    func keep(_ group: Identifier, saying words: String) { state.withLock { $0.kept[group] = words } }

    /// From now on, changes of that group are not answered, until ``release(_:)``.
    func hang(on group: Identifier) { _ = state.withLock { $0.hanging.insert(group) } }

    /// Goes on with the changes of that group, or of all.
    func release(_ group: Identifier? = nil) {
        let waiting = state.withLock { state in
            let released = state.waiting.filter { group == nil || $0.key == group }
            state.hanging = state.hanging.filter { group != nil && $0 != group }
            for key in released.keys { state.waiting[key] = nil }
            return released.values.flatMap { $0 }
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Drops a group without being asked.
    func forget(_ group: Identifier) { state.withLock { $0.groups[group] = nil } }

    /// Makes it watch a group without being asked.
    func seed(_ spec: GroupSpec) { state.withLock { $0.groups[spec.id] = spec } }

    // MARK: - What it holds

    var watched: Set<Identifier> { state.withLock { Set($0.groups.keys) } }

    func spec(of group: Identifier) -> GroupSpec? { state.withLock { $0.groups[group] } }

    /// Its `Allocation.Size`, by which tests tell specs apart.
    func size(of group: Identifier) -> Int? { spec(of: group)?.size }

    var waitingCount: Int { state.withLock { $0.waiting.values.reduce(0) { $0 + $1.count } } }

    // MARK: - Answers

    func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        let number = journal.begin(host, request)
        let life = state.withLock(\.deaths)
        if request.isAct || request.isFree, let group = request.groupID { await pass(group) }
        let answer: Result<GroupReply, GroupError> = state.withLock { state in
            guard !Task.isCancelled, state.deaths == life else {
                return .failure(GroupError(.unknownOutcome, "ended in the middle of the call"))
            }
            defer { note(request, in: state) }
            return Self.answer(request, &state)
        }
        journal.end(number, answer)
        return try answer.get()
    }

    /// Before anybody can hear of it.
    private func note(_ request: GroupRequest, in state: State) {
        guard let group = request.groupID else { return }
        if request.isWatch, state.groups[group] != nil { journal.hold(group, by: host) }
        if state.groups[group] == nil { journal.letGo([group], by: host) }
    }

    private func pass(_ group: Identifier) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    guard state.hanging.contains(group), !Task.isCancelled else { return true }
                    state.waiting[group, default: []].append(continuation)
                    return false
                }
                if isFree { continuation.resume() }
            }
        } onCancel: {
            release(group)
        }
    }

    private static func answer(_ request: GroupRequest, _ state: inout State) -> Result<GroupReply, GroupError> {
        if request.isAct, let group = request.groupID, let words = state.refusals[group] {
            return .failure(GroupError(.rejected, words))
        }
        if request.isFree, let group = request.groupID, let words = state.kept[group] {
            return .failure(GroupError(.rejected, words))
        }
        if let group = request.groupID, state.groups[group] == nil, needsGroup(request) {
            return .failure(.notWatched(group))
        }
        switch request {
        case .inspect: return .success(.groups(state.groups.values.sorted { $0.id < $1.id }))
        case .commit(let spec, let pretend):
            if !pretend { state.groups[spec.id] = spec }
            return .success(.details("\(pretend ? "Would manage" : "Managing") \(spec.size ?? 0) head of \(spec.id)"))
        case .watch(let spec):
            guard state.groups[spec.id] == nil else { return .failure(.alreadyWatched(spec.id)) }
            state.groups[spec.id] = spec
        case .update(let spec): state.groups[spec.id] = spec
        case .describeUpdate(let spec): return .success(.plan("Would change \(spec.id)"))
        case .describe(let id):
            let count = state.groups[id]?.size ?? 0
            let instances = (0..<count).map {
                InstanceDescription(id: "\(id)-\($0)", logicalID: nil, tags: ["group": id.text])
            }
            return .success(.description(GroupDescription(instances, isConverged: true)))
        case .size(let id): return .success(.size(state.groups[id]?.size ?? 0))
        case .free(let id), .unwatch(let id), .destroy(let id): state.groups[id] = nil
        case .setSize, .stopUpdate, .destroyInstances: break
        }
        return .success(.ok)
    }

    private static func needsGroup(_ request: GroupRequest) -> Bool {
        switch request {
        case .inspect, .commit, .watch, .describeUpdate: false
        default: true
        }
    }
}

extension GroupSpec {
    /// A group of so many instances.
    static func sized(_ id: Identifier, _ size: Int) -> GroupSpec {
        GroupSpec(id: id, properties: RawJSON(checked: Array(#"{"Allocation":{"Size":\#(size)}}"#.utf8)))
    }

    var size: Int? { JSONView(properties).member("Allocation")?.member("Size")?.int }
}
