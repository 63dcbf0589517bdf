internal import GroupSPI
internal import ManagerModels
internal import Store

/// What is undone, because nobody has confirmed it in time, goes back to what somebody has wished for good, or has still time to
/// confirm: not to another change whose time is over, and not to what only undid one.
enum UndoCheck {
    /// - Parameter revision: newly stored.
    /// - Returns: what is wrong; nil when nothing is, or it undoes nothing.
    static func compare(_ revision: Revision, in model: StoreModel) -> String? {
        guard let undone = undone(by: revision) else { return nil }
        for change in revision.changes {
            let before = lastWish(for: change.group, before: undone, in: model)
            let expected: Change.Action =
                if case .set(let properties, let plugin) = before?.change.action {
                    .set(properties, plugin: plugin)
                } else {
                    .free
                }
            guard change.action != expected else { continue }
            return
                "revision \(revision.number) undoes revision \(undone), and sets \(change.group) to something else than "
                + "revision \(before?.revision ?? 0) did, which was the last that somebody wished before"
        }
        return nil
    }

    private static func undone(by revision: Revision) -> Int? {
        let words = revision.message.split(separator: " ")
        guard revision.operation == .rollback, revision.message.contains(" was not confirmed within "), words.count > 1,
            words[0] == "revision"
        else { return nil }
        return Int(words[1])
    }

    private static func lastWish(for group: Identifier, before number: Int, in model: StoreModel) -> GroupState? {
        guard let state = model.state(of: group, before: number) else { return nil }
        let confirmation = model.confirmations.first { $0.revision == state.revision }
        if confirmation?.state == .reverted || confirmation?.state == .overtaken {
            return lastWish(for: group, before: state.revision, in: model)
        }
        if let earlier = model.revision(state.revision).flatMap(undone), earlier < state.revision {
            return lastWish(for: group, before: earlier, in: model)
        }
        return state
    }
}
