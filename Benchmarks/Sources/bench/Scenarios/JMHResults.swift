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

    func milliseconds(_ benchmark: String) throws -> Double {
        let name = "." + benchmark.replacing(" ", with: "_")
        let element = elements.first { $0.member("benchmark")?.string?.hasSuffix(name) == true }
        let metrics = element?.member("secondaryMetrics")?.members ?? []
        // Microseconds, whatever is measured.
        let time = metrics.first { $0.name.contains("wall clock") }?.value
        let median = time?.member("scorePercentiles")?.member("50.0")?.raw.text
        guard let median, let microseconds = Double(median) else {
            throw BenchmarkError("\(path) has no '\(benchmark)'")
        }
        return microseconds / 1000
    }
}
