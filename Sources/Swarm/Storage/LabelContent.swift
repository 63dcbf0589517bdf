internal import GroupSPI
package import Store

/// What the swarm's label holds. No label, one that cannot be read and one without groups are three things: only a person
/// turns one into another.
package enum LabelContent {
    case absent
    case unreadable(AnnotationError)
    /// The Go manager's, or a person's: groups without a history. It is *empty* when there are none.
    case foreign([GlobalConfig.Entry])
    case ours(HistoryImage)
}

/// What a look at the label means to a node that knows something already. Only ``current`` can be edited.
package enum LabelFinding {
    /// The newest state there is.
    case current(HistoryImage)
    /// There is no label, and nobody here knows of one: a swarm in which no manager has led yet.
    case fresh
    /// The label has less than this node knows: whoever leads writes what it knows again.
    case lost(LabelLoss)
    /// Somebody else's groups: whoever leads next takes them over as a new revision.
    case foreign([GlobalConfig.Entry])
    /// A history of a manager of ours that neither comes from the known one nor leads to it.
    case strange(HistoryImage)
    case unreadable(AnnotationError)

    /// - Parameters:
    ///   - label: the name of the label that the content is of; nil when there is none.
    ///   - known: the newest state that this node has seen; nil when it has seen none.
    package init(_ content: LabelContent, label: String?, known: HistoryImage?) {
        switch (content, known) {
        case (.unreadable(let error), _): self = .unreadable(error)
        case (.absent, nil): self = .fresh
        case (.foreign(let groups), nil): self = .foreign(groups)
        case (.ours(let image), nil): self = .current(image)
        // The Go manager's older label counts at the very beginning only: it was taken over then.
        case (.absent, _?): self = .lost(.gone)
        case (_, _?) where label != Annotation.label: self = .lost(.gone)
        case (.foreign(let groups), let known?):
            self =
                groups.isEmpty
                ? .lost(.emptied)
                : Self.changes(to: groups, from: known.groups).isEmpty ? .lost(.stripped) : .foreign(groups)
        case (.ours(let image), let known?):
            switch image.relation(to: known) {
            case .same, .newer: self = .current(image)
            case .older: self = .lost(.older(revision: image.newest, epoch: image.lease.epoch))
            case .other: self = .strange(image)
            }
        }
    }

    /// From what the history knows to what another manager has put into the label.
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

/// How a label came to hold less than is known.
package enum LabelLoss: Hashable {
    case gone, emptied, stripped
    case older(revision: Int, epoch: Int)

    /// For people: what somebody has done.
    var sentence: String {
        switch self {
        case .gone: "the swarm's label '\(Annotation.label)' was removed"
        case .emptied: "somebody has emptied the swarm's label '\(Annotation.label)'"
        case .stripped: "another manager has written the swarm's label '\(Annotation.label)' without its history"
        case .older(let revision, let epoch):
            "somebody has put an older state back into the swarm's label '\(Annotation.label)': revision \(revision) in epoch "
                + "\(epoch)"
        }
    }
}
