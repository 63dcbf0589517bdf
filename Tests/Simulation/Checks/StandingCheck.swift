internal import GroupSPI
internal import ManagerModels
internal import Store

/// Whoever is told that all stands already, as they want it, was told of what stands for good: no plugin can refuse it any more, and
/// nobody undoes it for want of a confirmation.
struct StandingCheck {
    /// What somebody relies on.
    private struct Reliance: Hashable {
        let request: String
        let group: Identifier
        let revision: Int
    }

    /// Open requests for which all stood as they want it, for good, at some moment since they were asked.
    private var stood: Set<String> = []
    private var ended: Set<String> = []
    private var reliances: Set<Reliance> = []

    /// - Parameters:
    ///   - open: of which nobody was told yet.
    ///   - isDone: whether a change is in effect.
    /// - Returns: what is wrong; nil when nothing is.
    mutating func compare(_ model: StoreModel, open: [Request], isDone: (Change) -> Bool) -> String? {
        for request in open where Self.asksForGroups(request.kind) && !ended.contains(request.id) {
            let standing = Self.standing(request.kind, in: model, isDone)
            if standing != nil { stood.insert(request.id) }
            guard let end = model.request(request.id), end.state == .done else { continue }
            ended.insert(request.id)
            guard end.revision == nil else { continue }
            for (group, revision) in standing ?? [] {
                reliances.insert(Reliance(request: request.id, group: group, revision: revision))
            }
            guard stood.contains(request.id) else {
                return
                    "request \(request.id) has changed nothing because all stands already, and it does not stand for good"
            }
        }
        return nil
    }

    /// Somebody has given up what was stored.
    mutating func giveUp() { reliances = [] }

    /// - Returns: what is wrong at the end; nil when nothing is.
    func finish(_ model: StoreModel) -> String? {
        for reliance in reliances {
            let change = model.revision(reliance.revision)?.changes.first { $0.group == reliance.group }
            guard change?.status != .applied, change?.status != .superseded else { continue }
            return
                "request \(reliance.request) was told that \(reliance.group) stands already as revision \(reliance.revision) "
                + "has set it, which is \(change?.status.name ?? "not stored")"
        }
        return nil
    }

    private static func asksForGroups(_ kind: Request.Kind) -> Bool {
        switch kind {
        case .commit, .import, .rollback(_, nil, _): true
        case .rollback, .write, .preview, .mark, .stepDown: false
        }
    }

    /// - Returns: nil unless all stands as it is wanted; else by which revisions.
    private static func standing(
        _ kind: Request.Kind,
        in model: StoreModel,
        _ isDone: (Change) -> Bool
    ) -> [(Identifier, Int)]? {
        let states = Dictionary(model.states().map { ($0.group, $0) }, uniquingKeysWith: { _, last in last })
        let unconfirmed = Set(model.waitingConfirmations.map(\.revision))
        func settled(_ state: GroupState) -> (Identifier, Int)? {
            // That the plugin has agreed may not be stored yet.
            guard
                state.change.status == .applied
                    || state.change.status == .pending && isDone(state.change),
                !unconfirmed.contains(state.revision)
            else { return nil }
            return (state.group, state.revision)
        }
        var found: [(Identifier, Int)] = []
        switch kind {
        case .commit(let entries, _, _), .import(let entries):
            for entry in entries {
                guard let state = states[entry.spec.id], case .set(entry.spec.properties, _) = state.change.action,
                    let settled = settled(state)
                else { return nil }
                found.append(settled)
            }
        case .rollback(let target, _, _):
            let wanted = Dictionary(
                model.states(at: target).map { ($0.group, $0.change.action) },
                uniquingKeysWith: { _, last in last }
            )
            for (group, state) in states {
                var isAsWanted = !state.change.action.isSet
                if let wanted = wanted[group], wanted.isSet { isAsWanted = state.change.action == wanted }
                guard isAsWanted, let settled = settled(state) else { return nil }
                found.append(settled)
            }
        default: return nil
        }
        return found
    }
}

extension Change.Action {
    fileprivate var isSet: Bool { if case .set = self { true } else { false } }
}
