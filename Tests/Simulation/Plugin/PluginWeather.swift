internal import GroupSPI

/// How a group plugin behaves; chances are in thousandths of the calls.
struct PluginWeather {
    /// How long a call takes at most, in nanoseconds.
    var latency = 20_000_000
    /// It refuses a change.
    var refusal = 0
    /// It begins a change, keeps it, and answers that it has failed.
    var halt = 0
    /// It carries a call out, and the answer is lost.
    var loss = 0
    /// It lives, and nobody finds it.
    var isAway = false
    /// What it says of its groups cannot be read.
    var isUnreadable = false
    /// What it is asked about that group it takes, and does not answer until the weather changes.
    var deafTo: Identifier?
    /// It takes calls and does nothing about them until the weather changes.
    var isStill = false

    static let calm = PluginWeather()
}
