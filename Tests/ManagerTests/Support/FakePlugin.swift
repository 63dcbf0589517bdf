import GroupSPI
import Manager
import ManagerModels
import Synchronization

/// A group plugin in memory: it does what a plugin does, unless a test tells it otherwise.
final class FakePlugin: GroupPlugin {
    enum Behaviour: Sendable {
        case fail(GroupError)
        /// Answers, and does nothing.
        case ignore(GroupReply)
        /// Carried out when the gate opens; not carried out when the caller has given up before.
        case hang(Gate)
        /// The same, but the caller cannot give up; only the call's time ends it.
        case hangStubbornly(Gate)
        /// Not even its time ends it.
        case hangForEver(Gate)
        /// Somebody takes the connection and does not answer, so that the call is never sent.
        case hangUnsent(Gate)
        /// Carried out, but the answer is lost.
        case loseAnswer
        /// Begun, and kept, although the answer is an error.
        case failHalfway(GroupError)
        /// Carried out only after the caller was told that it was not: a request that was on its way.
        case late(Gate)
    }

    struct State {
        var model = PluginModel()
        /// In the order in which they arrived.
        var calls: [GroupRequest] = []
        /// In the order in which they were carried out.
        var done: [GroupRequest] = []
        var isRunning = true
        var script: @Sendable (GroupRequest) -> Behaviour? = { _ in nil }
        var inFlight = 0
    }

    let clock: TestClock
    let state = Mutex(State())

    init(clock: TestClock) {
        self.clock = clock
    }

    // MARK: - For tests

    var calls: [GroupRequest] { state.withLock(\.calls) }
    var done: [GroupRequest] { state.withLock(\.done) }
    var groups: [Identifier: GroupSpec] { state.withLock(\.model.groups) }
    var watched: Set<Identifier> { Set(groups.keys) }
    var inFlight: Int { state.withLock(\.inFlight) }

    func script(_ script: @escaping @Sendable (GroupRequest) -> Behaviour?) { state.withLock { $0.script = script } }
    func behave() { script { _ in nil } }

    /// It restarts, and knows nothing any more.
    func forget() { state.withLock { $0.model.groups = [:] } }

    func stop() {
        state.withLock { state in
            state.isRunning = false
            state.model.groups = [:]
        }
    }

    func start() { state.withLock { $0.isRunning = true } }

    /// Somebody has told it behind the manager's back.
    func put(_ specs: GroupSpec...) {
        state.withLock { state in
            for spec in specs { state.model.groups[spec.id] = spec }
        }
    }

    func count(_ matches: (GroupRequest) -> Bool) -> Int { calls.count(where: matches) }

    // MARK: - GroupPlugin

    func call(_ request: GroupRequest, within timeout: Duration) async throws(GroupError) -> GroupReply {
        let deadline = clock.now() + timeout
        let (isRunning, behaviour) = state.withLock { state in
            if state.isRunning { state.calls.append(request) }
            state.inFlight += 1
            return (state.isRunning, state.script(request))
        }
        defer { state.withLock { $0.inFlight -= 1 } }
        guard isRunning else { throw GroupError(.notRunning, "plugin 'fake' is not running") }
        guard !Task.isCancelled else { throw GroupError(.unreachable, "cancelled before it was sent") }
        switch behaviour {
        case nil: return try carryOut(request)
        case .fail(let error): throw error
        case .ignore(let reply): return reply
        case .hang(let gate): try await pass(gate, until: deadline, isStubborn: false)
        case .hangStubbornly(let gate): try await pass(gate, until: deadline, isStubborn: true)
        case .hangForEver(let gate):
            try await pass(gate, until: BootInstant(nanoseconds: .max), isStubborn: true)
        case .hangUnsent(let gate):
            do {
                try await pass(gate, until: deadline, isStubborn: false)
            } catch {
                throw GroupError(.unreachable, "plugin 'fake' accepts connections but did not answer; it was not sent")
            }
        case .loseAnswer:
            _ = try carryOut(request)
            throw GroupError(.unknownOutcome, "the connection was lost")
        case .failHalfway(let error):
            _ = try carryOut(request)
            throw error
        case .late(let gate):
            do {
                try await pass(gate, until: deadline, isStubborn: false)
            } catch {
                _ = try carryOut(request)
                throw error
            }
        }
        return try carryOut(request)
    }

    private func pass(_ gate: Gate, until deadline: BootInstant, isStubborn: Bool) async throws(GroupError) {
        switch await gate.wait(until: deadline, on: clock, isStubborn: isStubborn) {
        case .opened: break
        case .timedOut: throw GroupError(.unknownOutcome, "no answer in time")
        case .cancelled: throw GroupError(.unknownOutcome, "the caller gave up")
        }
    }

    private func carryOut(_ request: GroupRequest) throws(GroupError) -> GroupReply {
        let result = state.withLock { state in
            state.done.append(request)
            return state.model.carryOut(request)
        }
        return try result.get()
    }
}

extension GroupSpec {
    /// A spec whose properties a test can tell from others.
    static func named(_ id: Identifier, _ version: Int = 1) -> GroupSpec {
        GroupSpec(id: id, properties: RawJSON(checked: Array("{\"Allocation\":{\"Size\":\(version)}}".utf8)))
    }
}

extension GroupRequest {
    var isCommit: Bool {
        guard case .commit(_, pretend: false) = self else { return false }
        return true
    }

    var isFree: Bool {
        guard case .free = self else { return false }
        return true
    }
}
