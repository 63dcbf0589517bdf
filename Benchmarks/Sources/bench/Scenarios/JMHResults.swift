internal import BenchmarkSupport
internal import GroupSPI

/// Medians, from a file in the format of the Java Microbenchmark Harness.
struct JMHResults {
    private let path: String
    private let elements: [JSONView]

    init(from path: String) throws {
        guard let text = Files.read(path) else { throw BenchmarkError("\(path) cannot be read") }
        self.path = path
        elements = try JSONView(Array(text.utf8)).elements
    }

    /// How long a measurement of a benchmark took, or what it measured itself.
    ///
    /// - Parameter metric: in nanoseconds; nil for the whole measurement.
    func milliseconds(_ benchmark: String, _ metric: String? = nil) throws -> Double {
        let name = "." + benchmark.replacing(" ", with: "_")
        let element = elements.first { $0.member("benchmark")?.string?.hasSuffix(name) == true }
        let metrics = element?.member("secondaryMetrics")?.members ?? []
        let found = metrics.first { $0.name.text.contains(metric ?? "wall clock") }?.value
        let median = found?.member("scorePercentiles")?.member("50.0")?.raw.text
        guard let median, let value = Double(median) else {
            throw BenchmarkError("\(path) has no '\(metric ?? "time")' of '\(benchmark)'")
        }
        // The whole is told in microseconds.
        return metric == nil ? value / 1000 : value / 1_000_000
    }
}
