internal import BenchmarkSupport
internal import GroupSPI

/// Medians, from files in the format of the Java Microbenchmark Harness, one for each round.
///
/// What is compared is measured one after the other, and the machine is not the same all the while: of the rounds' medians,
/// the median again.
struct JMHResults {
    private let rounds: [(path: String, elements: [JSONView])]

    init(from paths: [String]) throws {
        rounds = try paths.map { path in
            guard let text = Files.read(path) else { throw BenchmarkError("\(path) cannot be read") }
            return (path, try JSONView(Array(text.utf8)).elements)
        }
    }

    func milliseconds(_ benchmark: String) throws -> Double {
        let medians = try rounds.map { try Self.milliseconds(benchmark, $0.elements, $0.path) }.sorted()
        guard !medians.isEmpty else { throw BenchmarkError("no results are given") }
        return medians[medians.count / 2]
    }

    private static func milliseconds(_ benchmark: String, _ elements: [JSONView], _ path: String) throws -> Double {
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
