/// What a store has answered to each write, and so what it may hold afterwards.
///
/// The content is a dictionary: what there is, and what it says. What is not there is `absent`.
struct Ledger: Sendable {
    enum Answer: Sendable {
        case stored, notStored, unknown
    }

    static let absent = ""

    private(set) var possible: [String: Set<String>]
    private(set) var answers: [Answer] = []
    /// Writes of which nobody knows whether they took place, and that nothing has overwritten: all of each, or nothing.
    private var unknown: [(changes: [String: String], before: [String: Set<String>])] = []

    /// Whether a write may still be on its way.
    var isUncertain: Bool { answers.contains(.unknown) }

    /// - Parameter content: what is there before the first write.
    init(_ content: [String: String]) { possible = content.mapValues { [$0] } }

    /// For another process, which has been answered nothing yet, and of whose predecessor nothing is on its way any more.
    func forSuccessor() -> Ledger {
        var ledger = self
        ledger.answers = []
        return ledger
    }

    mutating func note(_ changes: [String: String], _ answer: Answer) {
        answers.append(answer)
        switch answer {
        case .notStored: return
        case .unknown:
            unknown.removeAll { $0.changes.keys.contains { changes[$0] != nil } }
            unknown.append((changes, possible.filter { changes[$0.key] != nil }))
            for (key, value) in changes { possible[key, default: [Self.absent]].insert(value) }
        case .stored:
            unknown.removeAll { $0.changes.keys.contains { changes[$0] != nil } }
            for (key, value) in changes { possible[key] = [value] }
        }
    }

    /// Something may be gone from now on.
    mutating func mayLose(_ keys: some Sequence<String>) {
        for key in keys { possible[key]?.insert(Self.absent) }
        unknown.removeAll { write in keys.contains { write.changes[$0] != nil } }
    }

    /// - Parameter found: all that the store holds, or a part of it.
    /// - Returns: a sentence for everything that contradicts an answer.
    func contradictions(_ found: [String: String], isAll: Bool) -> [String] {
        var sentences: [String] = []
        for (key, values) in possible {
            guard let value = found[key] ?? (isAll ? Self.absent : nil), !values.contains(value) else { continue }
            sentences.append("\(key) is '\(value)', and not one of \(values.sorted())")
        }
        for (key, value) in found where possible[key] == nil {
            sentences.append("\(key) is '\(value)', which nobody asked for")
        }
        guard isAll else { return sentences }
        for (changes, before) in unknown {
            let wasDone = changes.filter { found[$0.key] ?? Self.absent == $0.value }
            let wasNot = changes.filter { key, _ in (before[key] ?? [Self.absent]).contains(found[key] ?? Self.absent) }
            if wasDone.count != changes.count, wasNot.count != changes.count {
                sentences.append("only a part of \(changes) was stored: \(wasDone)")
            }
        }
        return sentences
    }
}
