import Benchmark

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput],
        warmupIterations: 20,
        maxDuration: .seconds(10),
        maxIterations: 100_000
    )
    DurableWrites.register()
    Pieces.register()
}
