/// How much patience and how much caution a ``SwarmDetector`` has.
public struct SwarmDetectorSettings: Hashable, Sendable {
    /// A claim outlives the question whose answer confirmed it by this much: unknown for longer is not leader.
    public var limit: Duration
    /// An answer that took longer says nothing any more.
    public var answerLimit: Duration
    /// The agreeing answers before a claim lie at least this far apart. Longer than ``limit``, so that the claim of the
    /// manager that led before, which counts from before the change, has run out by then.
    public var settling: Duration

    /// - Parameters:
    ///   - limit: 5 s: at one look a second, of at most one second each, two in a row may fail; two good ones follow.
    ///   - answerLimit: 2 s.
    ///   - settling: the limit and half a second by default.
    public init(
        limit: Duration = .seconds(5),
        answerLimit: Duration = .seconds(2),
        settling: Duration? = nil
    ) {
        self.limit = limit
        self.answerLimit = answerLimit
        self.settling = settling ?? limit + .milliseconds(500)
    }
}
