internal import BenchmarkSupport

/// When a new leader's plugin was told its groups, in seconds from the end of the old one.
struct Takeover {
    let first: Double
    let last: Double

    /// Waits until all groups were told.
    init(of groups: Int, by host: Host, since start: ContinuousClock.Instant) async throws {
        let acts = try await eventually("\(host.name) has all \(groups) groups", pause: .milliseconds(20)) {
            let acts = host.plugin.acts
            return acts.count >= groups && Set(acts.map(\.group)).count == groups ? acts : nil
        }
        let times = acts.map { ($0.time - start).inSeconds }
        first = times.min() ?? .nan
        last = times.max() ?? .nan
    }
}
