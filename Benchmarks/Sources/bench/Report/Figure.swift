/// One measured number, and what it is compared with.
struct Figure {
    enum Comparison {
        case none
        case atMost(Double)
        case atLeast(Double)
        /// Another measurement of the same run; nothing is missed by being above or below it.
        case peer(String, Double)
    }

    let what: String
    let value: Double
    let unit: Unit
    let comparison: Comparison

    init(_ what: String, _ value: Double, _ unit: Unit, _ comparison: Comparison = .none) {
        self.what = what
        self.value = value
        self.unit = unit
        self.comparison = comparison
    }

    /// - Returns: nil where there is no target.
    var isMet: Bool? {
        switch comparison {
        case .none, .peer: nil
        case .atMost(let limit): value <= limit
        case .atLeast(let limit): value >= limit
        }
    }

    /// A row of a table with ``header``.
    var row: [String] { [what, unit.text(value), compared, ratio] }

    static let header = ["what", "figure", "target or peer", "ratio"]

    private var compared: String {
        switch comparison {
        case .none: ""
        case .atMost(let limit): "≤ \(unit.text(limit))"
        case .atLeast(let limit): "≥ \(unit.text(limit))"
        case .peer(let name, let value): "\(name): \(unit.text(value))"
        }
    }

    private var ratio: String {
        switch comparison {
        case .none: return ""
        case .atMost(let other), .atLeast(let other), .peer(_, let other):
            guard other != 0 else { return "" }
            return Unit.times.text(value / other) + (isMet == false ? " **missed**" : "")
        }
    }
}
