import Manager
import Store
import Synchronization

/// A watch over holders that end when a test says so.
final class FakeLeaseHolderMonitor: LeaseHolderMonitor {
    struct State {
        var lease: Lease?
        var ended: Set<String> = []
        var isStopped = false
        var tell: (@Sendable (Int) -> Void)?
    }

    let state = Mutex(State())

    /// Whom it watches.
    var lease: Lease? { state.withLock(\.lease) }
    var isStopped: Bool { state.withLock(\.isStopped) }

    func attach(_ tell: @escaping @Sendable (Int) -> Void) { state.withLock { $0.tell = tell } }
    func hasEnded(_ lease: Lease) -> Bool { state.withLock { $0.ended.contains(lease.instance) } }

    /// The one that is watched ends.
    func end() {
        let (tell, epoch) = state.withLock { state in
            if let lease = state.lease { state.ended.insert(lease.instance) }
            return (state.tell, state.lease?.epoch)
        }
        if let epoch { tell?(epoch) }
    }

    func watch(_ lease: Lease?) { state.withLock { $0.lease = lease } }
    func stop() { state.withLock { $0.isStopped = true } }
}
