internal import GroupSPI
internal import Manager

/// After faults stop, the system converges: one replica leads, its plugin does what the history says, no other plugin
/// does anything, and a write succeeds.
final class Ending: @unchecked Sendable {
    private let world: World
    private(set) var isOver = false
    private var commit = Commit.none
    private var attempts = 0

    private enum Commit {
        case none, done
        case underWay(SimulatedProcess)
    }

    /// More than anything waits for: the longest pause between two attempts is half a minute.
    private static let patience = 200_000_000_000

    init(_ world: World) {
        self.world = world
    }

    func begin() { planLook() }

    private func planLook() {
        let interval = world.plan.election.ttl.wholeNanoseconds / 8
        world.scheduler.plan(after: interval, for: world.scheduler.world) { [self] in
            look()
            if !isOver { planLook() }
        }
    }

    private func look() {
        guard let since = world.faults.calmSince else { return }
        let disorder = world.disorder
        if world.scheduler.now - since > Self.patience {
            world.checker.fail("does not converge: \(disorder ?? "the last commit has no answer")")
            return finish()
        }
        guard disorder == nil else { return }
        switch commit {
        case .done: return finish()
        // A manager that ends does not answer.
        case .underWay(let process): guard process.isEnded else { return }
        case .none: break
        }
        guard let manager = world.replicas.first(where: { $0.manager?.actingEpoch != nil })?.manager else { return }
        commit = .underWay(manager.process)
        attempts += 1
        world.users.commitLast(of: manager) { [self] answer in
            guard case .failure(let error) = answer else {
                commit = .done
                return
            }
            commit = .none
            // What was asked before may still end a term: an order to stop, a call that hung.
            if attempts == 4 { world.checker.fail("nothing is wrong, and a commit fails: \(error)") }
        }
    }

    private func finish() {
        isOver = true
        world.checker.finish()
    }
}
