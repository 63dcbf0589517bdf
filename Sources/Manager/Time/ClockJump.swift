/// Somebody has set the wall clock.
struct ClockJump: Sendable {
    /// Ahead, or back when it is negative.
    let by: Duration
    /// When that was noticed.
    let at: BootInstant
}
