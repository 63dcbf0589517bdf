/// Medians in milliseconds: of commits, and of the bare disk's transactions at the same time.
struct CommitTimes {
    let commit: Double
    let disk: Double

    func at(_ x: Int) -> Growth.Point { Growth.Point(x: x, y: commit, disk: disk) }
}
