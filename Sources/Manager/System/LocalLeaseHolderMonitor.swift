internal import CLinux
internal import Dispatch
internal import Glibc
public import Store
internal import Synchronization

/// Waits for a holder on this host: for the end of its process, and then for that of its guard, which lets its groups go.
///
/// It waits on the kernel's descriptor of a process, in the one thread with which libdispatch waits for all descriptors: as
/// long as nothing ends it costs nothing but that descriptor. Where it cannot wait, the regular looks find the same a
/// little later.
public final class LocalLeaseHolderMonitor: LeaseHolderMonitor {
    private struct State {
        var lease: Lease?
        /// Whose end is waited for: the number of its process.
        var pid: Int?
        var source: (any DispatchSourceRead)?
        /// Counts the waits: the end of an earlier one may be told late.
        var generation = 0
        /// A holder ends once.
        var isTold = false
        var isStopped = false
    }

    /// Who is waited for next.
    private enum Next {
        case nobody
        case process(Int, descriptor: Int32)
        /// The regular looks have to do.
        case unknown
    }

    private let here: ProcessIdentity
    private let ended: @Sendable (_ epoch: Int) -> Void
    private let queue = DispatchQueue(label: "holder watch")
    private let state = Mutex(State())

    /// - Parameters:
    ///   - here: this process.
    ///   - ended: told once of each holder, when nothing of it is left that has to be waited for.
    public init(seenFrom here: ProcessIdentity, ended: @escaping @Sendable (_ epoch: Int) -> Void) {
        self.here = here
        self.ended = ended
    }

    deinit { state.withLock { Self.endWait(&$0) } }

    public func watch(_ lease: Lease?) {
        tell(
            state.withLock { state in
                guard !state.isStopped else { return nil }
                guard let lease, lease.isHeld, lease.process != here, here.canSee(lease.process) else {
                    Self.endWait(&state)
                    (state.lease, state.isTold) = (nil, false)
                    return nil
                }
                if state.lease?.instance != lease.instance {
                    Self.endWait(&state)
                    state.isTold = false
                }
                state.lease = lease
                return state.source == nil ? goOn(&state) : nil
            }
        )
    }

    public func stop() {
        state.withLock { state in
            state.isStopped = true
            Self.endWait(&state)
        }
    }

    /// The process whose end is waited for.
    var awaited: Int? { state.withLock(\.pid) }

    private func tell(_ epoch: Int?) {
        if let epoch { ended(epoch) }
    }

    // MARK: - Waiting

    /// - Returns: the epoch whose holder has ended, if that has to be told.
    private func goOn(_ state: inout State) -> Int? {
        guard let lease = state.lease, !state.isTold else { return nil }
        switch next(lease) {
        case .nobody:
            state.isTold = true
            return lease.epoch
        case .process(let pid, let descriptor): wait(for: pid, descriptor, &state)
        case .unknown: break
        }
        return nil
    }

    private func wait(for pid: Int, _ descriptor: Int32, _ state: inout State) {
        state.generation += 1
        state.pid = pid
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self, generation = state.generation] in self?.hasEnded(generation) }
        source.setCancelHandler { close(descriptor) }
        state.source = source
        source.activate()
    }

    private func hasEnded(_ generation: Int) {
        tell(
            state.withLock { state in
                guard state.generation == generation, state.source != nil else { return nil }
                Self.endWait(&state)
                return goOn(&state)
            }
        )
    }

    private static func endWait(_ state: inout State) {
        state.source?.cancel()
        (state.source, state.pid) = (nil, nil)
    }

    // MARK: - Who it is

    private func next(_ lease: Lease) -> Next {
        if HolderProbe.isGone(lease, seenFrom: here) { return .nobody }
        let holder = lease.process
        // Looked at after it was opened: the number may be another's by now, but not any more once it is held like this.
        if let descriptor = Self.open(holder.pid) {
            if HolderProbe.isRunning(holder) { return .process(holder.pid, descriptor: descriptor) }
            close(descriptor)
        }
        guard case .process(let pid?) = FileLock.holder(lease.guardLock), let descriptor = Self.open(pid) else {
            return HolderProbe.isGone(lease, seenFrom: here) ? .nobody : .unknown
        }
        // The same: who has the lock has not ended.
        if FileLock.holder(lease.guardLock) == .process(pid) { return .process(pid, descriptor: descriptor) }
        close(descriptor)
        return HolderProbe.isGone(lease, seenFrom: here) ? .nobody : .unknown
    }

    private static func open(_ pid: Int) -> Int32? {
        guard let pid = pid_t(exactly: pid), pid > 0 else { return nil }
        let descriptor = clinux_pidfd_open(pid)
        return descriptor >= 0 ? descriptor : nil
    }
}
