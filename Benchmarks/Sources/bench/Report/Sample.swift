/// Measurements of one thing: at least one.
struct Sample: Sendable {
    /// The smallest first.
    let values: [Double]

    init(_ values: [Double]) { self.values = values.sorted() }

    /// The value that so many of a hundred are not above (nearest rank).
    func percentile(_ percent: Double) -> Double {
        guard !values.isEmpty else { return .nan }
        let rank = (percent / 100 * Double(values.count)).rounded(.up)
        return values[Swift.min(values.count - 1, Swift.max(0, Int(rank) - 1))]
    }

    var p50: Double { percentile(50) }
    var p99: Double { percentile(99) }
    var max: Double { values.last ?? .nan }
    var mean: Double { values.reduce(0, +) / Double(values.count) }
}
