/// How the shared file behaves for the processes of one host; chances are in thousandths of the calls.
struct StorageWeather {
    /// Until a transaction has taken place, in nanoseconds, at most.
    var latency = 4_000_000
    /// From then until its answer is there.
    var answerLatency = 4_000_000
    /// Another's lock is in the way until the busy timeout.
    var busy = 0
    /// An error before the commit: nothing was stored.
    var failure = 0
    /// An error at the commit: it was stored or not.
    var ambiguity = 0
    /// No answer from the file system until the weather changes.
    var hanging = 0

    static let calm = StorageWeather()
}
