/// Waits for the end of the lease, whatever else is stuck, and says so each time a deadline has passed.
package protocol DeadlineTimer: Sendable {
    /// Sets the deadline; nil takes it away.
    func set(_ deadline: BootInstant?)
    func stop()
}
