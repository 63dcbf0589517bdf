internal import CLinux
internal import Glibc
internal import Platform
internal import Synchronization

/// A thread that does nothing but wait for the end of the lease.
///
/// Everything else may be stuck — a disk, a plugin, the pool that runs tasks. This thread still wakes up on time.
final class DeadlineThread: DeadlineTimer {
    let timer: Int32
    private let action: @Sendable () -> Void
    private let isStopped = Atomic<Bool>(false)

    /// - Parameter action: called on the thread each time a deadline has passed.
    /// - Throws: ``SettingsError`` when the system gives no timer or no thread.
    init(action: @escaping @Sendable () -> Void) throws(SettingsError) {
        self.action = action
        timer = clinux_boottime_timer()
        guard timer >= 0 else {
            throw SettingsError(
                message:
                    "cannot create a timer for the renew deadline: \(String(cString: strerror(-timer)))"
            )
        }
        do throws(SystemError) {
            // The thread keeps this object for as long as it runs.
            try DetachedThread.start { self.run() }
        } catch {
            throw SettingsError(message: "cannot start a thread for the renew deadline: \(error.reason)")
        }
    }

    /// Only now, when neither the thread nor anybody else can use the timer: a call with its number would reach whatever
    /// file has taken that number since, and stop another's clock.
    deinit { close(timer) }

    func set(_ deadline: BootInstant?) {
        _ = clinux_boottime_timer_set(timer, Int64(deadline?.nanoseconds ?? 0))
    }

    /// Ends the thread.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        // A moment long past: the timer fires at once and the thread finds the flag.
        _ = clinux_boottime_timer_set(timer, 1)
    }

    private func run() {
        var count: UInt64 = 0
        while true {
            let size = read(timer, &count, 8)
            if isStopped.load(ordering: .acquiring) { return }
            if size == 8 { action() } else if size < 0, errno != EINTR { return }
        }
    }
}
