internal import BenchmarkSupport
internal import Glibc

extension Takeover {
    /// How a leader ends.
    enum End {
        /// By a signal that it cannot catch.
        case killed
        /// The same, where the follower cannot see that it is gone.
        case killedElsewhere
        /// In order.
        case stopped
    }

    /// Ends one leader after the other.
    ///
    /// - Parameter poll: the managers' poll interval; the signals come at different moments of it.
    static func sample(
        _ programs: Programs,
        _ end: End,
        groups: Int,
        poll: Duration,
        runs: Int
    ) async throws -> [Takeover] {
        let settings = ["--poll-interval", "\(Int(poll.inMilliseconds))ms"]
        return try await Lab.with(programs) { lab in
            try await lab.fill(groups: groups)
            var (leader, follower) = (try await Host("n1", in: lab), try await Host("n2", in: lab))
            try await leader.lead(settings)
            var takeovers: [Takeover] = []
            for run in 0..<runs {
                try await follower.follow(settings, isElsewhere: end == .killedElsewhere)
                // Time for it to look at the lease twice at least.
                try await Task.sleep(for: poll * 2 + poll * run / runs, clock: .suspending)
                follower.plugin.forgetActs()
                let start = ContinuousClock.now
                try leader.send(end == .stopped ? SIGTERM : SIGKILL)
                takeovers.append(try await Takeover(of: groups, by: follower, since: start))
                try await leader.waitForEnd()
                try await follower.waitUntilLeading()
                if end == .killedElsewhere {
                    // Only the follower is in a namespace of its own, so the roles stay.
                    try follower.send(SIGTERM)
                    try await follower.waitForEnd()
                    try await leader.lead(settings)
                } else {
                    swap(&leader, &follower)
                }
            }
            return takeovers
        }
    }
}
