internal import CLinux
internal import Glibc
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
            throw SettingsError(message: "no timer for the lease's deadline: \(String(cString: strerror(-timer)))")
        }
        var thread = pthread_t()
        // The thread keeps this object for as long as it runs.
        let context = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(&thread, nil, { DeadlineThread.main($0) }, context)
        guard code == 0 else {
            Unmanaged<DeadlineThread>.fromOpaque(context).release()
            throw SettingsError(message: "no thread for the lease's deadline: \(String(cString: strerror(code)))")
        }
        pthread_detach(thread)
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

    private static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        let this = Unmanaged<DeadlineThread>.fromOpaque(context).takeRetainedValue()
        var count: UInt64 = 0
        while true {
            let size = read(this.timer, &count, 8)
            if this.isStopped.load(ordering: .acquiring) { break }
            if size == 8 { this.action() } else if size < 0, errno != EINTR { break }
        }
        return nil
    }
}
