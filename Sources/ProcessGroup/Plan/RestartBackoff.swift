/// How long to wait before a process that died is started again.
///
/// The first death after a long life is mended at once; one early death after the other waits twice as long as the
/// one before, so that a command that cannot run costs next to nothing.
public struct RestartBackoff: Hashable, Sendable {
    /// The wait before the second restart in a row.
    public var initial: Duration
    /// The longest wait.
    public var maximum: Duration
    /// A process that has lived so long starts the count anew.
    public var longLife: Duration

    /// How many times in a row a process has died early.
    private(set) var earlyDeaths = 0

    public init(
        initial: Duration = .seconds(1),
        maximum: Duration = .seconds(60),
        longLife: Duration = .seconds(10)
    ) {
        self.initial = initial
        self.maximum = maximum
        self.longLife = longLife
    }

    /// Counts a death, or a start that failed (a life of zero).
    ///
    /// - Returns: the wait before the next start.
    mutating func delay(afterLife life: Duration) -> Duration {
        guard life < longLife else {
            earlyDeaths = 0
            return .zero
        }
        earlyDeaths += 1
        guard earlyDeaths > 1 else { return .zero }
        // Bounded, so that the shift cannot overflow however long the trouble lasts.
        return min(maximum, initial * (1 << min(earlyDeaths - 2, 30)))
    }
}
