internal import CSimulation
internal import ManagerModels
internal import SeededRandom

/// Runs everything that is simulated, on one thread and in an order that the seed decides: jobs of Swift's tasks, and what
/// happens at a moment of the simulated time.
///
/// Jobs have no order among themselves, as on a pool of threads. Time stands still while one runs, and moves on by a
/// little between two; when none is ready it jumps to the next moment for which something is planned.
final class Scheduler: @unchecked Sendable {
    private struct Ready {
        let job: UnsafeMutableRawPointer
        let process: SimulatedProcess
    }

    /// True time, in nanoseconds since the schedule's beginning. No replica sees it.
    private(set) var now = 0
    /// Runs for ever, and on no host.
    let world: SimulatedProcess
    /// On whose behalf things happen now: what becomes ready is its.
    private(set) var current: SimulatedProcess
    private(set) var steps = 0
    /// The schedule is over, and what was left of it has been counted.
    private(set) var isTakenApart = false
    private var ready: [Ready] = []
    private var agenda = Agenda()
    private var random: SeededGenerator
    /// How long a job may take, in nanoseconds.
    private let jobTime: Int

    init(seed: UInt64, jobTime: Int) {
        random = SeededGenerator(seed)
        self.jobTime = jobTime
        world = SimulatedProcess(name: "world", pid: 0, host: nil)
        current = world
    }

    /// Takes over what becomes ready on this thread, for as long as `body` runs.
    func capture(_ body: () -> Void) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        csimulation_capture(
            { context, job in
                guard let context, let job else { return }
                Unmanaged<Scheduler>.fromOpaque(context).takeUnretainedValue().take(job)
            },
            context
        )
        body()
        csimulation_release()
    }

    private func take(_ job: UnsafeMutableRawPointer) { ready.append(Ready(job: job, process: current)) }

    /// Something happens to a process, or makes it act.
    func act(as process: SimulatedProcess, _ body: () -> Void) {
        let before = current
        current = process
        body()
        current = before
    }

    /// Plans something for a moment. A process that stands still then does it when it goes on; one that has ended does not.
    func plan(at time: Int, for process: SimulatedProcess, _ action: @escaping () -> Void) {
        agenda.insert(Agenda.Entry(time: max(time, now), process: process, action: action))
    }

    func plan(after delay: Int, for process: SimulatedProcess, _ action: @escaping () -> Void) {
        plan(at: now + delay, for: process, action)
    }

    /// - Returns: false when nothing will ever happen again.
    func step() -> Bool {
        steps += 1
        if let next = agenda.nextTime, next <= now || ready.isEmpty {
            now = max(now, next)
            if let entry = agenda.removeFirst() { carryOut(entry.action, for: entry.process) }
            return true
        }
        guard !ready.isEmpty else { return false }
        run(ready.swapRemove(at: random.below(ready.count)))
        now += random.below(jobTime)
        return true
    }

    private func carryOut(_ action: @escaping () -> Void, for process: SimulatedProcess) {
        if process.isEnded { return }
        guard process.isRunnable else { return process.parkedActions.append(action) }
        act(as: process, action)
    }

    private func run(_ next: Ready) {
        // Of one that has ended, too: its tasks are taken apart when the schedule is over.
        guard next.process.isRunnable else { return next.process.parkedJobs.append(next.job) }
        act(as: next.process) { csimulation_run(next.job) }
        act(as: world) { next.process.hasRunJob() }
    }

    /// A process that stood still goes on.
    func revive(_ process: SimulatedProcess) {
        guard process.isRunnable else { return }
        let (jobs, actions) = process.takeParked()
        for job in jobs { ready.append(Ready(job: job, process: process)) }
        for action in actions { plan(at: now, for: process, action) }
    }

    /// Lets all tasks of all processes end, so that nothing of this schedule is left.
    ///
    /// - Returns: how many are still waiting for something.
    func takeApart(_ processes: [SimulatedProcess], limit: Int = 100_000) -> Int {
        agenda = Agenda()
        for process in processes {
            process.isOver = true
            let (jobs, _) = process.takeParked()
            for job in jobs { ready.append(Ready(job: job, process: process)) }
            act(as: process) { process.endTasks() }
        }
        // In the order in which they came: one that does not stop must not keep the others from it.
        var done = 0
        while done < ready.count, done < limit {
            let next = ready[done]
            act(as: next.process) { csimulation_run(next.job) }
            done += 1
        }
        agenda = Agenda()
        for process in processes { _ = process.takeParked() }
        let left = ready.count - done + processes.reduce(0) { $0 + $1.promises.count }
        // What goes on until it is told so, on purpose, ends now: it would disturb the schedules that follow.
        isTakenApart = true
        while done < ready.count, done < 2 * limit {
            let next = ready[done]
            act(as: next.process) { csimulation_run(next.job) }
            done += 1
        }
        return left
    }
}

extension Array {
    /// Takes an element out; the order of the others does not matter.
    mutating func swapRemove(at index: Int) -> Element {
        swapAt(index, count - 1)
        return removeLast()
    }
}
