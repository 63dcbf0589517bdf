import GroupSPI

@testable import Store

/// The history as one would keep it without thinking: every revision whole, every question answered by a walk over all.
struct HistoryModel {
    private(set) var revisions: [(number: Int, changes: [Change])] = []

    mutating func append(_ revision: Revision) { revisions.append((revision.number, revision.changes)) }

    mutating func record(_ outcome: Outcome) {
        let index = outcome.revision - 1
        let wasPending = revisions[index].changes.contains { $0.group == outcome.group && $0.status == .pending }
        if wasPending, outcome.status == .applied { supersede(outcome) }
        revisions[index].changes = revisions[index].changes.map { change in
            guard change.group == outcome.group, change.status == .pending else { return change }
            return Change(group: change.group, action: change.action, status: outcome.status, error: outcome.error)
        }
    }

    /// What was open when a later change was confirmed.
    private mutating func supersede(_ outcome: Outcome) {
        for index in 0..<(outcome.revision - 1) {
            revisions[index].changes = revisions[index].changes.map { change in
                guard change.group == outcome.group, change.status == .pending else { return change }
                let error =
                    "overtaken by revision \(outcome.revision) before its outcome was known; it may have been applied"
                return Change(group: change.group, action: change.action, status: .superseded, error: error)
            }
        }
    }

    func states(at number: Int) -> [GroupState] {
        var states: [Identifier: GroupState] = [:]
        var sets: [Identifier: Change.Action] = [:]
        for revision in revisions where revision.number <= number {
            for change in revision.changes where change.status != .rejected {
                states[change.group] = GroupState(
                    group: change.group,
                    change: change,
                    revision: revision.number,
                    previous: change.action == .destroy ? sets[change.group] : nil
                )
                if case .set = change.action { sets[change.group] = change.action }
            }
        }
        return states.values.sorted { $0.group.utf8.lexicographicallyPrecedes($1.group.utf8) }
    }

    var current: Int? { revisions.last { $0.changes.contains { $0.status != .rejected } }?.number }
    var pending: [Int] { revisions.filter { $0.changes.contains { $0.status == .pending } }.map(\.number) }

    var openRejections: [OpenRejection] {
        var newest: [Identifier: (number: Int, change: Change)] = [:]
        for revision in revisions {
            for change in revision.changes { newest[change.group] = (revision.number, change) }
        }
        let standing = Dictionary(
            states(at: .max).map { ($0.group, $0.change.action) },
            uniquingKeysWith: { _, last in last }
        )
        let open = newest.filter { entry in
            let change = entry.value.change
            guard change.status == .rejected else { return false }
            // What was asked for is so already.
            if case .free = change.action { return standing[change.group]?.isSet == true }
            return standing[change.group] != change.action
        }
        return open.map { OpenRejection(revision: $0.value.number, group: $0.key) }
            .sorted { ($0.revision, $0.group) < ($1.revision, $1.group) }
    }

    /// Newest first.
    func numbers(of group: Identifier? = nil) -> [Int] {
        revisions.filter { revision in group == nil || revision.changes.contains { $0.group == group } }
            .map(\.number).reversed()
    }
}
