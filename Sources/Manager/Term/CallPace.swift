/// How quickly a plugin gets through many calls that are under way side by side: what it needs for each, whether it takes them one
/// after another or not.
struct CallPace {
    /// Of fewer calls nothing is concluded.
    static let fewest = 16

    private var start: BootInstant?
    private var underWay = 0
    private var ends: [BootInstant] = []

    mutating func began(_ now: BootInstant) {
        if underWay == 0 { (start, ends) = (now, []) }
        underWay += 1
    }

    /// - Parameter counts: the plugin has done what it was asked.
    /// - Returns: what it has needed for each call, when this was the last of many.
    mutating func ended(_ now: BootInstant, counts: Bool) -> Duration? {
        underWay -= 1
        if counts { ends.append(now) }
        guard underWay == 0, let start, ends.count >= Self.fewest else { return nil }
        // By the quicker half: a few that hang say nothing of the others.
        let half = ends.count / 2
        return (ends[half - 1] - start) / half
    }
}
