package import Replication

/// Folds what is seen of a swarm's leadership into a claim. It knows no clock and no socket.
///
/// The rules, each against something that the Engine does (docs/swarm.md):
/// - Two agreeing answers in a row, the second asked after the first came: an Engine that was stopped answers once from
///   its old state.
/// - The agreeing answers begin after the last unknown came, and lie no further apart than a claim lasts: what was true
///   before a silence says nothing after it.
/// - They span a settling time, so that the previous leader's claim has run out.
/// - A leader that does not see a majority does not lead: it may have been cut off.
/// - A claim counts from before the question, and runs out by itself.
/// - An answer that took too long is an unknown. One asked before a newer one is nothing.
public struct SwarmDetector: Sendable {
    /// Leader answers without anything between them.
    private struct Row {
        /// When the first came.
        var since: ContinuousClock.Instant
        /// When the last that counts was asked, and when it came.
        var askedAt: ContinuousClock.Instant
        var answeredAt: ContinuousClock.Instant
        var count = 1
    }

    private enum State {
        case leading(until: ContinuousClock.Instant)
        case following
        case unknown(reason: String)
    }

    private let settings: SwarmDetectorSettings
    private var state = State.unknown(reason: "the Engine has not been asked yet")
    private var row: Row?
    /// When the newest observation that was taken into account was asked.
    private var newest: ContinuousClock.Instant?
    /// When the last unknown came: only what was asked afterwards can make a leader.
    private var barrier: ContinuousClock.Instant?

    public init(_ settings: SwarmDetectorSettings = SwarmDetectorSettings()) {
        self.settings = settings
    }

    /// Takes note of an observation.
    public mutating func handle(_ observation: SwarmObservation) {
        if let newest, observation.askedAt < newest { return }
        newest = observation.askedAt
        expire(observation.answeredAt)
        let took = observation.answeredAt - observation.askedAt
        switch observation.answer {
        case .unknown(let reason):
            unknown(reason, observation)
        case _ where took > settings.answerLimit:
            unknown("the Engine took \(took.milliseconds) ms to answer", observation)
        case .follower:
            row = nil
            state = .following
        case .excluded(let reason):
            row = nil
            state = .unknown(reason: reason)
        case .leader(canSeeMajority: false):
            row = nil
            barrier = observation.answeredAt
            state = .unknown(reason: "this node leads the swarm, but does not see a majority of its managers")
        case .leader(canSeeMajority: true):
            leader(observation)
        }
    }

    /// The manager that led before has let its groups go, or is known to have ended: there is nothing to wait for but two
    /// agreeing answers.
    public mutating func skipSettling() {
        guard case .unknown = state, let row, row.count > 1 else { return }
        state = .leading(until: row.askedAt + settings.limit)
    }

    /// What may be claimed at that moment.
    package func claim(at now: ContinuousClock.Instant) -> LeadershipClaim {
        switch state {
        case .leading(let until) where now < until: .leader(until: until)
        case .leading: .unknown(reason: "the Engine has not confirmed for \(settings.limit) that this node leads")
        case .following: .follower
        case .unknown(let reason): .unknown(reason: reason)
        }
    }

    private mutating func expire(_ now: ContinuousClock.Instant) {
        guard case .leading = state else { return }
        guard case .unknown(let reason) = claim(at: now) else { return }
        state = .unknown(reason: reason)
        row = nil
    }

    private mutating func unknown(_ reason: String, _ observation: SwarmObservation) {
        row = nil
        barrier = observation.answeredAt
        // A claim that stands runs out by itself.
        if case .leading = state { return }
        state = .unknown(reason: reason)
    }

    private mutating func leader(_ observation: SwarmObservation) {
        if let barrier, observation.askedAt < barrier { return }
        guard var row, observation.askedAt - row.answeredAt <= settings.limit else {
            row = Row(
                since: observation.answeredAt,
                askedAt: observation.askedAt,
                answeredAt: observation.answeredAt
            )
            if case .leading = state { return }
            state = .unknown(reason: "this node leads the swarm; one more answer has to confirm it")
            return
        }
        // Two questions at the same time are one.
        guard observation.askedAt >= row.answeredAt else { return }
        row.count += 1
        row.askedAt = observation.askedAt
        row.answeredAt = observation.answeredAt
        self.row = row
        if case .leading = state {
            state = .leading(until: observation.askedAt + settings.limit)
        } else if observation.askedAt - row.since >= settings.settling {
            // The answer itself may have taken longer than what it gains.
            state = .leading(until: observation.askedAt + settings.limit)
            expire(observation.answeredAt)
        } else {
            state = .unknown(reason: "this node leads the swarm; the earlier leader may still be releasing its groups")
        }
    }
}
