import Benchmark
import Glibc

/// For each benchmark; `scripts/bench` tells.
private let seconds = getenv("BENCH_SECONDS").flatMap { Int(String(cString: $0)) } ?? 10

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput],
        warmupIterations: 20,
        maxDuration: .seconds(seconds),
        maxIterations: 100_000
    )
    DurableWrites.register()
    Pieces.register()
}
