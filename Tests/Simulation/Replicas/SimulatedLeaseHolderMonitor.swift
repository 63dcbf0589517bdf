internal import Manager
internal import ManagerModels
internal import SeededRandom
internal import Store

/// Waits for the end of a holder on the same host, as the real one does; the news takes a moment.
final class SimulatedLeaseHolderMonitor: LeaseHolderMonitor, @unchecked Sendable {
    private unowned let world: World
    private let process: SimulatedProcess
    private let host: SimulatedHost
    private let here: ProcessIdentity
    private let isGone: (Lease) -> Bool
    private let ended: @Sendable (Int) -> Void
    private var lease: Lease?
    private var awaited: SimulatedProcess?
    private var isTold = false

    init(
        _ world: World,
        _ process: SimulatedProcess,
        _ host: SimulatedHost,
        seenFrom here: ProcessIdentity,
        isGone: @escaping (Lease) -> Bool,
        ended: @escaping @Sendable (Int) -> Void
    ) {
        self.world = world
        self.process = process
        self.host = host
        self.here = here
        self.isGone = isGone
        self.ended = ended
    }

    func watch(_ lease: Lease?) {
        guard let lease, lease.isHeld, lease.process != here, here.canSee(lease.process) else { return stop() }
        if self.lease?.instance != lease.instance { stop() }
        self.lease = lease
        if awaited == nil { goOn() }
    }

    func stop() { (lease, awaited, isTold) = (nil, nil, false) }

    private func goOn() {
        guard let lease, !isTold else { return }
        if isGone(lease) {
            isTold = true
            return ended(lease.epoch)
        }
        guard let next = host.process(lease.process.pid) ?? host.locks[lease.guardLock]?.holder else { return }
        awaited = next
        next.whenEnded { [weak self, weak next] in
            guard let self, let next else { return }
            world.scheduler.plan(after: 1 + world.random.below(1_000_000), for: process) { [weak self, weak next] in
                guard let self, let next, awaited === next else { return }
                awaited = nil
                goOn()
            }
        }
    }
}
