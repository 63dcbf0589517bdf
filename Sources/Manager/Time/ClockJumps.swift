internal import Store

/// Notices when somebody has set the wall clock: by itself it moves on with the clock that nobody can set.
///
/// Nothing here is decided by the wall clock; but people read its times in the history.
struct ClockJumps {
    /// Less than this is what keeping a clock right does.
    private static let least = Duration.seconds(2)

    private var last: (now: BootInstant, wall: Int)?

    /// - Parameter wall: milliseconds since 1970.
    /// - Returns: by how much the wall clock was set since the last look, ahead or back; nil when it was not.
    mutating func look(_ now: BootInstant, wall: Int) -> Duration? {
        defer { last = (now, wall) }
        guard let last else { return nil }
        let jump = Duration.milliseconds(wall - last.wall) - (now - last.now)
        return jump >= Self.least || jump <= .zero - Self.least ? jump : nil
    }
}
