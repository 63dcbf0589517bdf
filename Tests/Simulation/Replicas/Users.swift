internal import GroupSPI
internal import Manager
internal import ManagerModels
internal import SeededRandom
internal import Store

/// People and programs that change groups, and remember what they were told.
final class Users: @unchecked Sendable {
    /// One wish; its author is named after it, so that the history tells how often it came true.
    private final class Wish: @unchecked Sendable {
        let author: Caller
        let text: String
        var answer: Result<GroupReply, GroupError>?
        /// What asks for it through the store; nil when it was asked of a manager.
        var command: SimulatedCommand?

        init(_ number: Int, _ text: String) {
            author = Caller(user: "u\(number)", uid: nil, host: "")
            self.text = text
        }
    }

    private unowned let world: World
    private var wishes: [Wish] = []
    private var requests = 0
    private(set) var acknowledged = 0

    init(_ world: World) {
        self.world = world
    }

    func begin() { planNext() }

    private func planNext() {
        world.scheduler.plan(after: world.random.below(2 * world.plan.writeInterval), for: world.scheduler.world) {
            [self] in
            guard world.scheduler.now < world.plan.calmAt else { return }
            act()
            planNext()
        }
    }

    private func act() {
        switch world.random.below(20) {
        case 0: leave(.stepDown)
        case 1, 2:
            let entries = groups.prefix(1 + world.random.below(3)).map {
                GlobalConfig.Entry(spec: spec($0), plugin: "")
            }
            leave(.commit(Array(entries), expectedCurrent: nil, confirmWithin: nil))
        case 3: leave(.rollback(to: 1 + world.random.below(5), group: nil, expectedCurrent: nil))
        default: call()
        }
    }

    func makeRequestID() -> String {
        requests += 1
        return "r\(requests)"
    }

    // MARK: - Wishes

    private let groups = ["a", "b", "c"]

    private func spec(_ group: String) -> GroupSpec {
        GroupSpec(id: group, properties: RawJSON(checked: Array("{\"Version\":\(wishes.count + 1)}".utf8)))
    }

    private func request() -> GroupRequest {
        let group = groups[world.random.below(groups.count)]
        switch world.random.below(10) {
        case 0: return .watch(spec(group))
        case 1: return .update(spec(group))
        case 2: return .free(id: group)
        case 3: return .destroy(id: group)
        case 4: return .setSize(id: group, wishes.count)
        default: return .commit(spec(group), pretend: false)
        }
    }

    /// Mostly of the one that leads, as the others refuse.
    private func call() {
        let leader = world.replicas.first { $0.manager?.actingEpoch != nil }
        let any = world.replicas[world.random.below(world.replicas.count)]
        guard let manager = (world.random.below(5) == 0 ? any : leader ?? any).manager else { return }
        call(request(), of: manager)
    }

    /// - Parameter answered: told how it went, unless the manager ends before.
    func call(
        _ request: GroupRequest,
        of manager: SimulatedManager,
        answered: @escaping @Sendable (Result<GroupReply, GroupError>) -> Void = { _ in }
    ) {
        let wish = Wish(wishes.count + 1, request.shortText)
        wishes.append(wish)
        let proxy = manager.runtime.proxy
        world.scheduler.plan(after: 50_000, for: manager.process) { [self] in
            world.trace.note(world.scheduler.now, manager.process) { "\(wish.author.user ?? "") asks: \(wish.text)" }
            manager.process.start { [self] in
                let answer: Result<GroupReply, GroupError>
                do throws(GroupError) {
                    answer = .success(try await proxy.call(request, from: wish.author))
                } catch {
                    answer = .failure(error)
                }
                guard !manager.process.isOver else { return }
                wish.answer = answer
                acknowledged += (try? answer.get()) == nil ? 0 : 1
                world.trace.note(world.scheduler.now, manager.process) {
                    "\(wish.author.user ?? "") is told: \(answer.told)"
                }
                answered(answer)
            }
        }
    }

    /// A commit that has to succeed, as nothing is wrong any more.
    func commitLast(
        of manager: SimulatedManager,
        answered: @escaping @Sendable (Result<GroupReply, GroupError>) -> Void
    ) {
        call(.commit(spec("a"), pretend: false), of: manager, answered: answered)
    }

    /// Runs a command that asks for it through the store.
    private func leave(_ kind: Request.Kind) {
        let wish = Wish(wishes.count + 1, "\(kind)")
        wishes.append(wish)
        let command = SimulatedCommand(world, kind, id: makeRequestID(), author: wish.author)
        wish.command = command
        world.note("\(wish.author.user ?? "") runs the command \(command.request.id): \(kind)")
        command.begin()
    }

    /// A request is taken up by a leader, in an epoch that began at some true time.
    func takenUp(_ id: String, epoch: Int, begunAt beginning: Int) {
        guard let command = wishes.lazy.compactMap(\.command).first(where: { $0.request.id == id }),
            let death = command.diedAt, death < beginning
        else { return }
        world.checker.fail("request \(id) is carried out in epoch \(epoch), and whoever asked had ended before that")
    }

    func clear() {
        for wish in wishes { wish.command?.clear() }
        wishes = []
    }

    // MARK: - What they were told

    /// Compares every answer with the history.
    func check() {
        let model = world.file.model
        var numbers: [String: [Int]] = [:]
        for revision in model.revisions { numbers[revision.author.user ?? "", default: []].append(revision.number) }
        for wish in wishes {
            let name = wish.author.user ?? ""
            let count = numbers[name]?.count ?? 0
            if count > 1 { world.checker.fail("\(name)'s \(wish.text) is in the history \(count) times") }
            switch wish.answer {
            case .success, .failure(GroupError.isPending):
                if count != 1 { world.checker.fail("\(name)'s \(wish.text) was acknowledged and is not stored") }
                if case .success = wish.answer, let number = numbers[name]?.first, model.hasRefused(number) {
                    world.checker.fail("\(name)'s \(wish.text) was acknowledged, and is rejected in the history")
                }
            case .failure(GroupError.saysNothingChanged):
                if count != 0 {
                    world.checker.fail("\(name) was told that nothing was changed by \(wish.text), which is stored")
                }
            case .failure, nil: break
            }
            if let command = wish.command { check(command, name, numbers[name] ?? []) }
        }
        for request in model.requests {
            let count = numbers[request.author.user ?? ""]?.count ?? 0
            let expected = request.state == .done && request.revision != nil ? 1 : 0
            if count != expected {
                world.checker.fail("request \(request.id) is \(request.state), and \(count) times in the history")
            }
        }
    }
}

extension Users {
    /// Compares what the user of a command was told with the history.
    private func check(_ command: SimulatedCommand, _ name: String, _ numbers: [Int]) {
        let what = "\(name)'s request \(command.request.id)"
        switch command.told {
        case .carriedOut(let revision):
            if revision != numbers.first { world.checker.fail("\(what) is revision \(numbers), and not \(revision ?? 0)") }
        case .refused(let words):
            if !numbers.isEmpty { world.checker.fail("\(what) was refused, and is in the history") }
            // Hosts' clocks run at different rates, by a tenth at most.
            let waited = ((command.toldAt ?? 0) - command.askedAt) / 1_000_000
            if words.contains("that is over"), waited < command.request.patience * 9 / 10 {
                world.checker.fail("\(what) was refused for its age, \(waited) ms after it was asked")
            }
        case .nothing:
            if !numbers.isEmpty { world.checker.fail("\(name) was told that nothing was changed by \(what), which is stored") }
        case .unknown(let revision?):
            if revision != numbers.first { world.checker.fail("\(what) is revision \(numbers), and not \(revision)") }
        case .unknown(nil), nil: break
        }
    }
}

extension StoreModel {
    /// Whether a change was given up for another reason than a later change of its group.
    fileprivate func hasRefused(_ number: Int) -> Bool {
        revision(number)?.changes.contains { change in
            change.status == .rejected && change.error?.hasPrefix("superseded") != true
        } ?? false
    }
}

extension GroupError {
    fileprivate static var isPending: Code { .pending }

    /// What a user concludes from it.
    fileprivate static let saysNothingChanged = NothingChanged()
    fileprivate struct NothingChanged {}

    fileprivate static func ~= (pattern: NothingChanged, error: GroupError) -> Bool {
        error.code == .notLeader || error.message.contains("nothing was changed")
            || error.message.contains("nothing was stored")
    }

    fileprivate static func ~= (pattern: Code, error: GroupError) -> Bool { error.code == pattern }
}

extension Result<GroupReply, GroupError> {
    fileprivate var told: String {
        switch self {
        case .success: "done"
        case .failure(let error): "\(error.code.rawValue): \(error.message)"
        }
    }
}
