package import GroupSPI

/// How changes came out whose revisions a snapshot does not hold any more: only those that were not applied are named. It is
/// what lets a copy that was not told for long learn what became of the changes that it knows as pending.
public struct PastOutcomes: Hashable, Sendable {
    /// The first revision of which this tells. Every change from there up to the snapshot's base that is not in
    /// ``exceptions`` was applied.
    public private(set) var from: Int
    /// In the order of their revisions.
    public private(set) var exceptions: [Outcome]

    public init(from: Int, exceptions: [Outcome] = []) {
        self.from = from
        self.exceptions = exceptions
    }

    /// The outcome of a change; nil where it is not known.
    ///
    /// - Parameter last: the snapshot's base.
    package func outcome(of revision: Int, _ group: Identifier, through last: Int) -> Outcome? {
        guard revision >= from, revision <= last else { return nil }
        return exceptions.first { $0.revision == revision && $0.group == group }
            ?? Outcome(revision: revision, group: group, status: .applied)
    }

    /// How much is kept of a plugin's words, in Unicode's scalars.
    private static let longestError = 200

    /// Takes a settled revision in, the next one after those that are known.
    mutating func note(_ revision: Revision) {
        for change in revision.changes where change.status != .applied {
            let error = change.error.map { String($0.unicodeScalars.prefix(Self.longestError)) }
            exceptions.append(
                Outcome(revision: revision.number, group: change.group, status: change.status, error: error)
            )
        }
    }

    /// Keeps the newest exceptions; nothing is told of revisions of which some were dropped.
    ///
    /// - Parameter last: the snapshot's base.
    mutating func trim(to count: Int, through last: Int) {
        guard count > 0 else {
            self = PastOutcomes(from: last + 1)
            return
        }
        guard exceptions.count > count else { return }
        from = exceptions[exceptions.count - count - 1].revision + 1
        exceptions.removeAll { $0.revision < from }
    }
}
