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
        /// What was asked of a manager's socket; nil for what a command has left in the store.
        let call: GroupRequest?
        /// The group's newest change, as the history had it when the wish was made.
        var before: GroupState?
        var answer: Result<GroupReply, GroupError>?
        /// Of which manager, and when, in true time.
        var asked: (manager: SimulatedProcess, at: Int)?
        var answeredAt = Int.max
        /// What asks for it through the store; nil when it was asked of a manager.
        var command: SimulatedCommand?

        var name: Identifier { author.user ?? "" }

        var isUnsent: Bool {
            guard case .failure(let error) = answer else { return false }
            return error.message.contains("was not sent")
        }

        init(_ number: Int, _ text: String, _ call: GroupRequest? = nil) {
            author = Caller(user: "u\(number)", uid: nil, host: "")
            self.text = text
            self.call = call
        }
    }

    private unowned let world: World
    private var wishes: [Wish] = []
    private var requests = 0
    private(set) var acknowledged = 0
    /// Told once of a process that has just acknowledged a change.
    var whenAcknowledged: ((SimulatedProcess) -> Void)?

    init(_ world: World) {
        self.world = world
    }

    var waitingCommands: [SimulatedCommand] { wishes.compactMap(\.command).filter(\.isWaiting) }

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
        switch world.random.below(world.plan.isQuiet ? 7 : 20) {
        case 0: leave(.stepDown)
        case 1, 2:
            var entries = groups.prefix(1 + world.random.below(3)).map {
                GlobalConfig.Entry(spec: spec($0), plugin: "")
            }
            // What is so already, or is about to be.
            if world.random.below(3) == 0 {
                let present = world.file.truth.states().compactMap(\.spec)
                if !present.isEmpty {
                    entries = present.prefix(1 + world.random.below(3)).map { .init(spec: $0.spec, plugin: $0.plugin) }
                }
            }
            let allowed = world.plan.election.ttl.milliseconds * world.random.within(1...8) / 2
            leave(
                .commit(
                    Array(entries),
                    expectedCurrent: nil,
                    confirmWithin: world.random.below(3) == 0 ? allowed : nil
                )
            )
        case 4:
            guard let waiting = world.file.truth.waitingConfirmations.randomElement(using: &world.random) else { break }
            // In os mode a command needs no leader for it.
            guard !world.plan.isSwarm, world.random.below(2) == 0 else {
                return leave(.mark(.confirm(waiting.revision)))
            }
            world.note("revision \(waiting.revision) is confirmed")
            world.file.write { try? $0.endConfirmation(of: waiting.revision, as: .confirmed) }
        case 5:
            let refused = world.file.truth.revisions.filter { revision in
                revision.changes.contains { $0.status == .rejected }
            }
            if let revision = refused.randomElement(using: &world.random) {
                leave(.mark(.acknowledge(revision.number, message: "seen")))
            }
        case 3: leave(.rollback(to: 1 + world.random.below(5), group: nil, expectedCurrent: nil))
        default: call()
        }
    }

    /// What a command asks, by the id of its request.
    func asked(_ id: String) -> Request? {
        wishes.lazy.compactMap(\.command).first { $0.request.id == id }?.request
    }

    func makeRequestID() -> String {
        requests += 1
        return "r\(requests)"
    }

    // MARK: - Wishes

    /// Two of them are one to whoever compares by Unicode's canonical equivalence.
    let groups: [Identifier] = ["a", "caf\u{E9}", "cafe\u{301}"]

    private func spec(_ group: Identifier) -> GroupSpec {
        GroupSpec(
            id: group,
            properties: RawJSON(checked: Array("{\"Version\":\(wishes.count + 1),\"Allocation\":{\"Size\":0}}".utf8))
        )
    }

    private func request() -> GroupRequest {
        let group = groups[world.random.below(groups.count)]
        switch world.random.below(10) {
        case 0: return .watch(spec(group))
        case 1: return .update(spec(group))
        case 2: return .free(id: group)
        case 3: return .destroy(id: group)
        case 4: return .setSize(id: group, wishes.count)
        case 5: return .stopUpdate(id: group)
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

    /// Somebody asks about a group several times, and about another.
    func ask(about group: Identifier) {
        guard let manager = world.replicas.first(where: { $0.manager?.actingEpoch != nil })?.manager else { return }
        for _ in 0..<world.random.within(1...3) { call(.describe(id: group), of: manager) }
        call(.describe(id: groups[world.random.below(groups.count)]), of: manager)
    }

    /// - Parameter answered: told how it went, unless the manager ends before.
    func call(
        _ request: GroupRequest,
        of manager: SimulatedManager,
        answered: @escaping @Sendable (Result<GroupReply, GroupError>) -> Void = { _ in }
    ) {
        let wish = Wish(wishes.count + 1, request.shortText, request)
        wishes.append(wish)
        let proxy = manager.runtime.proxy
        world.scheduler.plan(after: 50_000, for: manager.process) { [self] in
            world.trace.note(world.scheduler.now, manager.process) { "\(wish.author.user ?? "") asks: \(wish.text)" }
            manager.process.start { [self] in
                wish.before = state(of: request.groupID)
                wish.asked = (manager.process, world.scheduler.now)
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
                checkNow(wish, answer)
                wish.answeredAt = world.scheduler.now
                if case .success = answer, let strike = whenAcknowledged {
                    whenAcknowledged = nil
                    strike(manager.process)
                }
                answered(answer)
                if case .success = answer, request.isStored, world.random.below(4) == 0 {
                    await readAtOnce(wish, manager)
                }
            }
        }
    }

    /// What was acknowledged reads as applied, at once.
    private func readAtOnce(_ wish: Wish, _ manager: SimulatedManager) async {
        let isStored =
            world.broken == .historyReadWithoutAsking
            ? manager.actingEpoch != nil : await manager.runtime.proxy.storeOutcomes()
        guard isStored, !manager.process.isOver, !world.checker.givenUp.contains(wish.name) else { return }
        for revision in revisions(of: wish) where revision.epoch == manager.actingEpoch && revision.status == .pending {
            world.checker.fail(
                "\(wish.name)'s \(wish.text) was acknowledged, and whoever reads the history then finds it pending"
            )
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

    private func revisions(of wish: Wish) -> [Revision] {
        world.file.truth.revisions.filter { $0.author == wish.author }
    }

    private func state(of group: Identifier?) -> GroupState? {
        group.flatMap { group in world.file.truth.states().first { $0.group == group } }
    }

    /// What must be so at the moment at which somebody is told.
    private func checkNow(_ wish: Wish, _ answer: Result<GroupReply, GroupError>) {
        let stored = revisions(of: wish)
        // A person has given up what it is about.
        guard wish.call?.isStored == true, !world.checker.givenUp.contains(wish.name) else { return }
        let promise = AnswerPromise(answer)
        switch promise {
        case .applied:
            for revision in stored {
                for change in revision.changes where !world.checker.wasCarriedOut(change) {
                    world.checker.fail(
                        of: promise,
                        "\(wish.name)'s \(wish.text) was acknowledged, and no plugin has done it"
                    )
                }
                // What ends a group is not to be ended again.
                guard wish.call?.endsGroup == true, revision.status == .pending else { continue }
                world.checker.fail(
                    of: promise,
                    "\(wish.name)'s \(wish.text) was acknowledged, and that is not stored of revision \(revision.number)"
                )
            }
        case .kept:
            if stored.first?.status != .applied {
                world.checker.fail(
                    of: promise,
                    "\(wish.name) was told that \(wish.text) is applied all the same, and it is \(stored.first?.status.name ?? "not stored")"
                )
            }
        case .refused:
            if let open = stored.first(where: { $0.status != .rejected }) {
                world.checker.fail(
                    of: promise,
                    "\(wish.name) was told that \(wish.text) is refused, and revision \(open.number) is \(open.status.name)"
                )
            }
            // Of an acceptance its leader hears with its next look.
            guard !world.checker.hasGivenUp, stored.isEmpty, case .failure(let error) = answer, error.saysNotWatched,
                let before = wish.before, before.spec != nil, before.change.status == .applied,
                state(of: before.group) == before
            else { break }
            world.checker.fail(
                of: promise,
                "\(wish.name) was told that \(before.group) is not watched, which it is all the time"
            )
        case .pending:
            guard case .failure(let error) = answer else { break }
            let named = stored.contains { error.message.contains("revision \($0.number)") }
            if !named { world.checker.fail(of: promise, "\(wish.name) was told of another revision: \(error)") }
        case .nothing:
            if let revision = stored.first {
                world.checker.fail(
                    of: promise,
                    "\(wish.name) was told that nothing was changed by \(wish.text), which is revision \(revision.number)"
                )
            }
        // What commands are told is compared at the end.
        case .unknown, .stands, .noted: break
        case nil: world.checker.fail("\(wish.name) was told what nobody can do anything with: \(answer)")
        }
    }

    /// Compares every answer with the history.
    func check() {
        let model = world.file.model
        // What undoes a revision has its author, who did not ask for it.
        let asked = model.revisions.filter { !$0.message.contains("was not confirmed within") }
        let stored = Dictionary(grouping: asked) { $0.author.user ?? "" }
        for wish in wishes where !world.checker.givenUp.contains(wish.name) {
            let found = stored[wish.name] ?? []
            let promise = AnswerPromise(wish.answer)
            if found.count > 1 {
                world.checker.fail(of: promise, "\(wish.name)'s \(wish.text) is in the history \(found.count) times")
            }
            guard wish.call?.isStored ?? true else {
                if !found.isEmpty { world.checker.fail("\(wish.name)'s \(wish.text) is in the history") }
                continue
            }
            switch promise {
            case .applied:
                if found.isEmpty {
                    world.checker.fail(
                        of: promise,
                        "\(wish.name)'s \(wish.text) was acknowledged and is not stored"
                    )
                }
                for revision in found where revision.status != .applied && revision.status != .superseded {
                    world.checker.fail(
                        of: promise,
                        "\(wish.name)'s \(wish.text) was acknowledged, and is \(revision.status.name) in the history"
                    )
                }
            case .kept:
                if found.first?.status != .applied {
                    world.checker.fail(
                        of: promise,
                        "\(wish.name)'s \(wish.text) was kept, and is \(found.first?.status.name ?? "not stored")"
                    )
                }
            case .refused:
                for revision in found where revision.status != .rejected {
                    world.checker.fail(
                        of: promise,
                        "\(wish.name)'s \(wish.text) was refused, and is \(revision.status.name) in the history"
                    )
                }
            case .pending:
                if found.isEmpty {
                    world.checker.fail(of: promise, "\(wish.name)'s \(wish.text) was recorded and is not stored")
                }
            case .nothing:
                if !found.isEmpty {
                    world.checker.fail(
                        of: promise,
                        "\(wish.name) was told that nothing was changed by \(wish.text), which is stored"
                    )
                }
            case .unknown, .stands, .noted, nil: break
            }
            if let command = wish.command { check(command, wish.name, found.map(\.number)) }
        }
        for wish in wishes where wish.isUnsent && !isHeldUpByItsOwn(wish) {
            world.checker.fail("\(wish.name)'s \(wish.text) was not sent, and nobody else asked about that group then")
        }
        for request in model.requests {
            let count = stored[request.author.user ?? ""]?.count ?? 0
            let expected = request.state == .done && request.revision != nil ? 1 : 0
            if count != expected {
                world.checker.fail("request \(request.id) is \(request.state), and \(count) times in the history")
            }
        }
    }
}

extension Users {
    /// A question that was not sent, because earlier ones about its group have no answer: whether there were such.
    private func isHeldUpByItsOwn(_ wish: Wish) -> Bool {
        guard let asked = wish.asked else { return true }
        return wishes.contains { other in
            guard other !== wish, let before = other.asked, before.manager === asked.manager,
                other.call?.isStored == false,
                other.call?.groupID == wish.call?.groupID
            else { return false }
            return !other.isUnsent && before.at <= wish.answeredAt && other.answeredAt >= asked.at
        }
    }
}

extension GroupRequest {
    /// Whether it makes a revision.
    fileprivate var isStored: Bool {
        switch self {
        case .stopUpdate, .describe: false
        default: true
        }
    }

    fileprivate var endsGroup: Bool {
        switch self {
        case .free, .unwatch, .destroy: true
        default: false
        }
    }
}

extension Users {
    /// Compares what the user of a command was told with the history.
    private func check(_ command: SimulatedCommand, _ name: Identifier, _ numbers: [Int]) {
        let what = "\(name)'s request \(command.request.id)"
        if case .mark(let mark) = command.request.kind, !world.checker.hasGivenUp { check(mark, command, what) }
        switch command.told {
        case .carriedOut(let revision):
            if revision != numbers.first {
                world.checker.fail(of: .pending, "\(what) is revision \(numbers), and not \(revision ?? 0)")
            }
        case .refused(let words):
            if !numbers.isEmpty { world.checker.fail(of: .refused, "\(what) was refused, and is in the history") }
            // Hosts' clocks run at different rates, by a tenth at most.
            let waited = ((command.toldAt ?? 0) - command.askedAt) / 1_000_000
            if words.contains("that is over"), waited < command.request.patience * 9 / 10 {
                world.checker.fail("\(what) was refused for its age, \(waited) ms after it was asked")
            }
        case .nothing:
            if !numbers.isEmpty {
                world.checker.fail(
                    of: .nothing,
                    "\(name) was told that nothing was changed by \(what), which is stored"
                )
            }
        case .unknown(let revision?):
            if revision != numbers.first {
                world.checker.fail(of: .pending, "\(what) is revision \(numbers), and not \(revision)")
            }
        case .unknown(nil), nil: break
        }
    }
}

extension Users {
    private func check(_ mark: MetadataChange, _ command: SimulatedCommand, _ what: String) {
        let model = world.file.model
        switch command.told {
        case .carriedOut:
            let isNoted =
                switch mark {
                case .confirm(let revision):
                    model.confirmations.contains { $0.revision == revision && $0.state == .confirmed }
                case .acknowledge(let revision, _): model.acknowledged.contains(revision)
                case .tag, .untag: true
                }
            if !isNoted { world.checker.fail(of: .noted, "\(what) was carried out, and nothing is noted: \(mark)") }
        case .nothing, .refused:
            if model.request(command.request.id)?.state == .done {
                world.checker.fail(
                    of: .nothing,
                    "\(what) was told that nothing was changed, and is carried out: \(mark)"
                )
            }
        case .unknown, nil: break
        }
    }
}

extension Result<GroupReply, GroupError> {
    fileprivate var told: String {
        switch self {
        case .success: "done"
        case .failure(let error): "\(error.code.rawValue): \(error.message)"
        }
    }
}
