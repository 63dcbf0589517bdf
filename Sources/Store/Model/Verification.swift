/// What a look at the whole history has found.
public struct Verification: Hashable, Sendable {
    /// The newest revision that could be read; 0 in an empty history.
    public let newest: Int
    /// How many could be read: those that retention has removed are not among them.
    public let revisions: Int
    public let problems: [Damage]

    public var isSound: Bool { problems.isEmpty }

    /// The revisions that are damaged, or missing, in their order.
    public var damaged: [Int] { Set(problems.flatMap(\.revisions)).sorted() }

    /// Every revision up to this one is as it was stored, but for outcomes, which come later; 0 when not even the first is.
    public var trusted: Int { min(newest, damaged.first.map { $0 - 1 } ?? newest) }
}

/// Something that is not as it was stored.
public struct Damage: Hashable, Sendable, CustomStringConvertible {
    /// For a person.
    public let sentence: String
    /// The revisions that it is about; none when the history is not touched.
    public let revisions: [Int]

    init(_ sentence: String, _ revisions: [Int] = []) {
        self.sentence = sentence
        self.revisions = revisions
    }

    public var description: String { sentence }

    /// What to add to a sentence about specifications: the revisions that hold them.
    static func holders(_ revisions: [Int]) -> String {
        guard let first = revisions.first, let last = revisions.last else { return "" }
        if first == last { return "; revision \(first) uses it" }
        if revisions.count <= 12 { return "; revisions \(revisions.map(String.init).joined(separator: ", ")) use it" }
        return "; \(revisions.count) revisions from \(first) to \(last) use it"
    }
}
