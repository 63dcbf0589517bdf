internal import GroupSPI
internal import ManagerModels
internal import SeededRandom

/// A process's way to the plugin.
final class PluginConnection: GroupPlugin, @unchecked Sendable {
    private let world: World
    private let plugin: SimulatedPlugin
    private let process: SimulatedProcess
    private let host: SimulatedHost
    /// Calls that wait for the one before, where a broken rule makes them.
    private var queue: [() -> Void] = []
    private var isBusy = false

    init(_ world: World, _ plugin: SimulatedPlugin, _ process: SimulatedProcess, _ host: SimulatedHost) {
        self.world = world
        self.plugin = plugin
        self.process = process
        self.host = host
    }

    func call(_ request: GroupRequest, within timeout: Duration) async throws(GroupError) -> GroupReply {
        let isQueued = world.broken == .checkedAtEnqueue
        if isQueued { await takeTurn() }
        defer { if isQueued { passTurn() } }
        if Task.isCancelled, !isQueued { throw GroupError(.unreachable, "cancelled before it was sent") }
        let over = Result<GroupReply, GroupError>.failure(GroupError(.notRunning, "the schedule is over"))
        let answer = await process.wait(on: world.scheduler, fallback: over) { promise in
            send(request, timeout, promise)
        }
        return try answer.get()
    }

    private func send(
        _ request: GroupRequest,
        _ timeout: Duration,
        _ promise: Promise<Result<GroupReply, GroupError>>
    ) {
        let scheduler = world.scheduler
        guard plugin.isRunning, !plugin.weather.isAway else {
            return scheduler.plan(after: 10_000, for: process) {
                promise.fulfil(.failure(GroupError(.notRunning, "the plugin does not run")))
            }
        }
        let epoch = world.checker.called(request, by: process)
        let call = SimulatedPlugin.Call(request, epoch: epoch) { [process] answer in
            scheduler.plan(after: 10_000, for: process) { promise.fulfil(answer) }
        }
        // A call that nobody waits for any more may still be on its way.
        func giveUp(_ message: String) {
            guard !promise.isDone else { return }
            if world.random.below(2) == 0 { call.isWithdrawn = true }
            promise.fulfil(.failure(GroupError(.unknownOutcome, message)))
        }
        promise.whenCancelled = { giveUp("the caller gave up") }
        host.planAwake(at: scheduler.now + host.trueLength(timeout), for: process) { giveUp("no answer in time") }
        plugin.deliver(call)
    }

    // MARK: - One at a time

    private func takeTurn() async {
        await process.wait(on: world.scheduler, fallback: ()) { promise in
            guard isBusy else {
                isBusy = true
                return promise.fulfil(())
            }
            queue.append { promise.fulfil(()) }
        }
    }

    private func passTurn() {
        guard !queue.isEmpty else {
            isBusy = false
            return
        }
        queue.removeFirst()()
    }
}
