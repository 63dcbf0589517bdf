internal import GroupSPI
internal import Logging
internal import Manager

/// An orphan guard as a process beside the manager, at the other end of a pipe: the guard's own loop, with a lock, and
/// orders that take a moment.
final class SimulatedGuard: OrphanGuard, @unchecked Sendable {
    let process: SimulatedProcess
    private let manager: SimulatedProcess
    private let world: World
    private let host: SimulatedHost
    private let inhibit: @Sendable (String?) -> Void
    private let post: @Sendable (GuardLoop.Event) -> Void
    private let events: AsyncStream<GuardLoop.Event>
    private var number = 0
    private var acknowledged = -1
    private var isStopped = false
    private var waiting: [(number: Int, promise: Promise<Void>)] = []
    /// Memory that the manager and its guard share.
    private let board: Board

    init(
        _ world: World,
        _ manager: SimulatedProcess,
        _ host: SimulatedHost,
        _ inhibit: @escaping @Sendable (String?) -> Void
    ) {
        self.world = world
        self.manager = manager
        self.host = host
        self.inhibit = inhibit
        board = Board(world.broken)
        process = world.makeProcess("\(manager.name)-guard", on: host)
        let (events, continuation) = AsyncStream.makeStream(of: GuardLoop.Event.self)
        self.events = events
        post = { continuation.yield($0) }
    }

    /// - Parameter lock: that of this replica's guards, one of which works at a time.
    func start(_ plugin: SimulatedPlugin, lock: LocalLock) {
        inhibit("waits for its orphan guard")
        send(nil)
        let loop = GuardLoop(
            plugin: PluginConnection(world, plugin, process, host),
            knowledge: board,
            clock: SimulatedClock(process: process, host: host),
            timeout: world.plan.term.freeTimeout,
            patience: world.plan.election.ttl * 6,
            isAwaited: { lock.isAwaited },
            logger: world.logger(process),
            acknowledge: { [self] number in
                world.scheduler.plan(after: 20_000, for: manager) { self.acknowledge(number) }
            }
        )
        lock.take(process) { [self] in
            world.scheduler.plan(after: 1_000_000, for: process) { [self] in
                process.start { [self] in
                    if world.broken == .guardNeverEnds { goOnForEver() }
                    await loop.run(events)
                    // Its end, and that of its lock, are not its own doing.
                    world.scheduler.plan(after: 1, for: world.scheduler.world) { self.ended(lock) }
                }
            }
        }
    }

    /// Until the schedule is taken apart, and it has been counted what does not end.
    private func goOnForEver() {
        let clock = SimulatedClock(process: process, host: host)
        Task { [world] in
            while !world.scheduler.isTakenApart {
                try? await clock.sleep(until: clock.now() + .seconds(1))
                // When the schedule is over a sleep takes no job: without this, one job would never end. Not `Task.yield`: that job
                // would go past the scheduler, to another thread.
                await Task {}.value
            }
        }
    }

    private func ended(_ lock: LocalLock) {
        process.end()
        lock.leave(process)
    }

    /// The manager has ended, and with it the pipe.
    func managerEnded() { tell(.endOfFile) }

    // MARK: - OrphanGuard

    func arm(until deadline: BootInstant) { send(deadline) }
    func postpone(until instant: BootInstant) {
        guard let deadline = board.newest, deadline < instant else { return }
        board.set(instant)
    }

    func disarm() { send(nil) }

    func note(_ group: Identifier) { board.groups.insert(group) }
    func forget(_ group: Identifier) { board.groups.remove(group) }
    func forgetAll() { board.groups = [] }

    func isReady() async {
        await manager.wait(on: world.scheduler, fallback: ()) { promise in
            if acknowledged >= number || isStopped { return promise.fulfil(()) }
            waiting.append((number, promise))
        }
    }

    func stop() {
        isStopped = true
        tell(.endOfFile)
        release(upTo: .max)
    }

    private func send(_ deadline: BootInstant?) {
        number += 1
        board.set(deadline)
        let message = GuardMessage(number: number, deadline: deadline)
        guard world.broken == .guardActsOnWhatItHasRead else { return tell(.message(message)) }
        // It knows what has come out of the pipe, and that takes a moment.
        world.scheduler.plan(after: 20_000, for: process) { [self] in
            world.scheduler.plan(after: 100_000, for: process) { [self] in
                board.taken = deadline
                post(.message(message))
            }
        }
    }

    private func tell(_ event: GuardLoop.Event) {
        world.scheduler.plan(after: 20_000, for: process) { self.post(event) }
    }

    /// What a guard finds when it looks, unless a rule is broken.
    private final class Board: GuardKnowledge, @unchecked Sendable {
        private let broken: BrokenRule?
        private(set) var newest: BootInstant?
        /// What the guard has taken up.
        var taken: BootInstant?
        private var noted: Set<Identifier> = []

        init(_ broken: BrokenRule?) { self.broken = broken }

        func set(_ deadline: BootInstant?) { newest = deadline }
        var deadline: BootInstant? { broken == .guardActsOnWhatItHasRead ? taken : newest }

        var groups: Set<Identifier> {
            get { broken == .guardKnowsNoGroups ? [] : noted }
            set { noted = newValue }
        }
    }

    private func acknowledge(_ number: Int) {
        let isFirst = acknowledged < 0
        acknowledged = number
        release(upTo: number)
        if isFirst { inhibit(nil) }
    }

    private func release(upTo number: Int) {
        let ready = waiting.filter { $0.number <= number }
        waiting.removeAll { $0.number <= number }
        for entry in ready { entry.promise.fulfil(()) }
    }
}
