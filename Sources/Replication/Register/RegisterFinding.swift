internal import GroupSPI
package import Store

/// What a look at the register means to a node that knows something already. Only ``current`` can be edited.
package enum RegisterFinding: Sendable {
    /// The newest state there is.
    case current(Snapshot)
    /// There is nothing, and nobody here knows of anything: no manager has led yet.
    case fresh
    /// The register has less than this node knows: whoever leads writes what it knows again.
    case lost(ContentLoss)
    /// Somebody else's groups: whoever leads next takes them over as a new revision.
    case foreign([GlobalConfig.Entry])
    /// A history of a manager of ours that neither comes from the known one nor leads to it.
    case strange(Snapshot)
    /// Why, for a person.
    case unreadable(String)

    /// - Parameters:
    ///   - isLegacy: whether the content lies where only an older kind of manager writes.
    ///   - known: the newest state that this node has seen; nil when it has seen none.
    package init(_ content: RegisterContent, isLegacy: Bool, known: Snapshot?) {
        switch (content, known) {
        case (.unreadable(let reason), _): self = .unreadable(reason)
        case (.absent, nil): self = .fresh
        case (.foreign(let groups), nil): self = .foreign(groups)
        case (.ours(let snapshot), nil): self = .current(snapshot)
        // What an older kind of manager wrote counts at the very beginning only: it was taken over then.
        case (.absent, _?): self = .lost(.gone)
        case (_, _?) where isLegacy: self = .lost(.gone)
        case (.foreign(let groups), let known?):
            self =
                groups.isEmpty
                ? .lost(.emptied)
                : Self.changes(to: groups, from: known.groups).isEmpty ? .lost(.stripped) : .foreign(groups)
        case (.ours(let snapshot), let known?):
            switch snapshot.relation(to: known) {
            case .same, .newer: self = .current(snapshot)
            case .older: self = .lost(.older(revision: snapshot.newest, epoch: snapshot.lease.epoch))
            case .other: self = .strange(snapshot)
            }
        }
    }

    /// From what the history knows to what another manager has put into the register.
    static func changes(
        to groups: [GlobalConfig.Entry],
        from known: [Identifier: GlobalConfig.Entry]
    ) -> [Change] {
        let names = Set(groups.map(\.spec.id))
        let ended = known.keys.filter { !names.contains($0) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .map { Change(group: $0, action: .free) }
        return ended
            + groups.filter { known[$0.spec.id] != $0 }.map { entry in
                Change(group: entry.spec.id, action: .set(entry.spec.properties, plugin: entry.plugin))
            }
    }
}

/// How a register came to hold less than is known.
package enum ContentLoss: Hashable, Sendable {
    case gone, emptied, stripped
    case older(revision: Int, epoch: Int)

    /// For people: what somebody has done.
    func sentence(_ terminology: RegisterTerminology) -> String {
        let content = terminology.content
        return switch self {
        case .gone: "\(content) was removed"
        case .emptied: "somebody has emptied \(content)"
        case .stripped: "another manager has written \(content) without its history"
        case .older(let revision, let epoch):
            "somebody has put an older state back into \(content): revision \(revision) in epoch \(epoch)"
        }
    }
}
