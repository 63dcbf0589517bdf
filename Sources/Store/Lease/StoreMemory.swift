internal import Synchronization

/// What this process knows of the newest state of its store, for as long as it runs.
final class StoreMemory: Sendable {
    struct State {
        var seen = Watermark()
        /// The row by which it last acquired the lease.
        var own: Lease?
        /// The file system on which it did. On another one that is at the same path others need not see what is written.
        var device: UInt?

        /// The row by which this process leads in a term, for a database on that file system.
        func own(_ fence: Fence, on device: UInt?) -> Lease? {
            own.flatMap { $0.isHeld(by: fence) && self.device == device ? $0 : nil }
        }
    }

    private let state = Mutex(State())

    var current: State { state.withLock { $0 } }

    func note(_ lease: Lease) { state.withLock { $0.seen.note(lease) } }
    func note(_ revision: Revision) { state.withLock { $0.seen.note(revision.number, revision.hash) } }

    /// The lease was acquired: what the store holds at this moment is what this replica goes on from, also where somebody has
    /// accepted that it lacks what was seen before.
    func begin(_ lease: Lease, on device: UInt?) {
        state.withLock { state in
            state.own = lease
            state.device = device
            state.seen.epoch = lease.epoch
            state.seen.sequence = lease.sequence
            state.seen.revision = lease.revision
            state.seen.hash = lease.hash
        }
    }
}
