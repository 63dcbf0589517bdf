public import GroupSPI

/// How many values of two documents are looked at one by one; what is more is compared as a whole.
public struct ValueLimit: Sendable {
    /// In all documents that are compared at one time.
    static let total = 1 << 20

    /// For one document and the one that it is compared with.
    let most: Int

    init(most: Int) {
        self.most = most
    }

    /// For two documents that are compared alone.
    public static let standard = ValueLimit(most: total)

    /// For many pairs whose differences are kept at one time: small ones are looked at to the end, and large ones share
    /// what is left.
    public init(sharedBy pairs: [(before: JSONView?, after: JSONView?)]) {
        let texts = pairs.map { [$0.before, $0.after].compactMap { $0?.bytes } }
        // A value has a byte, and something between it and the next one.
        guard texts.joined().reduce(0, { $0 + $1.count / 2 + 1 }) > Self.total else {
            most = Self.total
            return
        }
        var room = Self.total
        let counts = texts.map(ComparisonDepth.count).sorted()
        for (index, count) in counts.enumerated() {
            let share = room / (counts.count - index)
            guard count <= share else {
                most = share
                return
            }
            room -= count
        }
        most = Self.total
    }
}
