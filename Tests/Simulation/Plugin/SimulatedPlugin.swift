internal import GroupSPI
internal import ManagerModels
internal import SeededRandom

/// The group plugin of one replica: a process of its own, which carries calls out one after the other, in the order in
/// which they came.
final class SimulatedPlugin: @unchecked Sendable {
    /// A call that has been delivered.
    final class Call {
        let request: GroupRequest
        /// The epoch in which its sender led.
        let epoch: Int?
        let answer: (Result<GroupReply, GroupError>) -> Void
        var isWithdrawn = false

        init(_ request: GroupRequest, epoch: Int?, _ answer: @escaping (Result<GroupReply, GroupError>) -> Void) {
            self.request = request
            self.epoch = epoch
            self.answer = answer
        }
    }

    let name: String
    private unowned let world: World
    private let host: SimulatedHost
    private(set) var process: SimulatedProcess?
    private(set) var model = PluginModel()
    /// What the groups were whose change was begun and has failed; nil for none.
    private var halted: [Identifier: GroupSpec?] = [:]
    /// In which epoch each group was told.
    private var told: [Identifier: Int] = [:]
    var weather = PluginWeather.calm {
        didSet {
            if weather.deafTo != oldValue.deafTo {
                queue += unheard
                unheard = []
            }
            if !weather.isStill { work() }
        }
    }
    private var queue: [Call] = []
    /// Questions about the group that it does not hear.
    private var unheard: [Call] = []
    private var isWorking = false

    init(_ name: String, _ world: World, _ host: SimulatedHost) {
        self.name = name
        self.world = world
        self.host = host
    }

    var isRunning: Bool { process != nil }
    var groups: [Identifier: GroupSpec] { model.groups }

    /// Whether it acts, or is going to, on what it was told in an epoch.
    func acts(in epoch: Int) -> Bool {
        told.values.contains(epoch)
            || queue.contains { !$0.isWithdrawn && $0.epoch == epoch && $0.request.makesWatch }
    }

    // MARK: - Its life

    func start() {
        guard process == nil, !host.isOff else { return }
        process = world.makeProcess("\(name)-plugin", on: host)
    }

    /// It ends, and keeps nothing.
    func end() {
        guard let process else { return }
        process.end()
        self.process = nil
        isWorking = false
        model = PluginModel()
        (told, halted) = ([:], [:])
        let lost = queue + unheard
        (queue, unheard) = ([], [])
        for call in lost { call.answer(.failure(GroupError(.unknownOutcome, "the connection was lost"))) }
    }

    // MARK: - Calls

    func deliver(_ call: Call) {
        if case .describe(let group) = call.request, group == weather.deafTo { return unheard.append(call) }
        queue.append(call)
        work()
    }

    private func work() {
        guard let process, !isWorking, !weather.isStill, !queue.isEmpty else { return }
        isWorking = true
        world.scheduler.plan(after: world.random.below(max(1, weather.latency)), for: process) { [self] in
            isWorking = false
            // It may have come to a stand meanwhile.
            guard !weather.isStill else { return }
            if !queue.isEmpty { carryOut(queue.removeFirst(), process) }
            work()
        }
    }

    private func carryOut(_ call: Call, _ process: SimulatedProcess) {
        guard !call.isWithdrawn else { return }
        let answer: Result<GroupReply, GroupError>
        if call.request.changesGroups, world.random.isHit(perThousand: weather.refusal) {
            answer = .failure(GroupError(.rejected, "no"))
        } else if case .inspect = call.request, weather.isUnreadable {
            answer = .failure(GroupError(.unreadable, "more than anybody reads"))
        } else if world.broken == .begunCountsAsRefused, call.request == .inspect {
            answer = .success(.groups(groupsAsBefore))
        } else {
            let before = call.request.spec.flatMap { model.groups[$0.id] }
            answer = haltIfHit(call.request, model.carryOut(call.request), before)
        }
        if let group = call.request.groupID {
            if model.groups[group] == nil {
                told[group] = nil
            } else if let spec = call.request.spec, call.request.makesWatch, model.groups[group] == spec {
                told[group] = call.epoch
                world.checker.watched(self, spec)
            }
        }
        world.trace.note(world.scheduler.now, process) {
            "\(call.request.shortText) → \(answer.shortText), watches \(self.shownGroups)"
        }
        if world.random.isHit(perThousand: weather.loss) {
            call.answer(.failure(GroupError(.unknownOutcome, "the connection was lost")))
        } else {
            call.answer(answer)
        }
    }

    /// A change that is carried out may be told to have failed on its way.
    private func haltIfHit(
        _ request: GroupRequest,
        _ answer: Result<GroupReply, GroupError>,
        _ before: GroupSpec?
    ) -> Result<GroupReply, GroupError> {
        guard let spec = request.spec, request.makesWatch, case .success = answer else { return answer }
        halted[spec.id] = nil
        guard world.random.isHit(perThousand: weather.halt) else { return answer }
        halted[spec.id] = .some(before)
        return .failure(GroupError(.rejected, "Update halted by user"))
    }

    /// As if nothing had been begun that was told to have failed.
    private var groupsAsBefore: [GroupSpec] {
        model.groups.values.map { halted[$0.id] ?? $0 }.compactMap(\.self).sorted { $0.id < $1.id }
    }

    private var shownGroups: String {
        model.groups.isEmpty ? "nothing" : model.groups.values.map(\.shortText).sorted().joined(separator: " ")
    }
}

extension GroupRequest {
    /// After it, the plugin watches a group as the call says.
    var makesWatch: Bool {
        switch self {
        case .watch, .update, .commit(_, pretend: false): true
        default: false
        }
    }

    var changesGroups: Bool {
        switch self {
        case .destroy, .setSize, .destroyInstances: true
        default: makesWatch
        }
    }

    var spec: GroupSpec? {
        switch self {
        case .watch(let spec), .update(let spec), .commit(let spec, _), .describeUpdate(let spec): spec
        default: nil
        }
    }

    var shortText: String { ([method] + [spec?.shortText ?? groupID?.text].compactMap { $0 }).joined(separator: " ") }
}

extension GroupSpec {
    var shortText: String { "\(id)=\(properties.text.filter(\.isNumber))" }
}

extension Result<GroupReply, GroupError> {
    var shortText: String {
        switch self {
        case .success: "ok"
        case .failure(let error): "\(error.code.rawValue)"
        }
    }
}
