internal import GroupSPI
internal import ManagerModels
internal import Store

/// Whoever is told that all stands already, as they want it, was told of what stands for good: no plugin can refuse it any more, and
/// nobody undoes it for want of a confirmation.
struct StandingCheck {
    /// The revisions by which some groups stood.
    private typealias ReplicaStatus = [Identifier: Int]

    /// By open request: how all stood as it wants it, for good, at moments since it was asked. It may rely on any of them.
    private var stood: [String: Set<ReplicaStatus>] = [:]
    private var ended: Set<String> = []
    /// What users were told of.
    private var relied: Set<String> = []

    /// Something has changed: how it stands now.
    ///
    /// - Parameters:
    ///   - open: of which nobody was told yet.
    ///   - isDone: whether a change is in effect.
    mutating func look(_ model: StoreModel, open: [Request], isDone: (Change) -> Bool) {
        for request in open where Self.asksForGroups(request.kind) && !ended.contains(request.id) {
            guard let standing = Self.standing(request.kind, in: model, isDone) else { continue }
            stood[request.id, default: []].insert(standing)
        }
    }

    /// - Returns: what is wrong with what has been carried out; nil when nothing is.
    mutating func compare(_ model: StoreModel, open: [Request]) -> String? {
        for request in open where Self.asksForGroups(request.kind) && !ended.contains(request.id) {
            guard let end = model.request(request.id), end.state == .done else { continue }
            ended.insert(request.id)
            guard end.revision == nil else { continue }
            guard stood[request.id] != nil else {
                return
                    "request \(request.id) has changed nothing because all stands already, and it does not stand for good"
            }
            relied.insert(request.id)
        }
        return nil
    }

    /// Somebody has given up what was stored.
    mutating func giveUp() { (relied, stood) = ([], [:]) }

    /// - Returns: what is wrong at the end; nil when nothing is.
    func finish(_ model: StoreModel) -> String? {
        func isKept(_ group: Identifier, _ number: Int) -> Bool {
            let status = model.revision(number)?.changes.first { $0.group == group }?.status
            return status == .applied || status == .superseded
        }
        for request in relied.sorted() {
            let standings = stood[request] ?? []
            guard !standings.contains(where: { $0.allSatisfy { isKept($0.key, $0.value) } }) else { continue }
            return "request \(request) was told that all stands already, which was refused later: \(standings)"
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
    ) -> ReplicaStatus? {
        let states = Dictionary(model.states().map { ($0.group, $0) }, uniquingKeysWith: { _, last in last })
        let unconfirmed = Set(model.waitingConfirmations.map(\.revision))
        func isSettled(_ state: GroupState) -> Bool {
            // That the plugin has agreed may not be stored yet.
            (state.change.status == .applied || state.change.status == .pending && isDone(state.change))
                && !unconfirmed.contains(state.revision)
        }
        var found: ReplicaStatus = [:]
        switch kind {
        case .commit(let entries, _, _), .import(let entries):
            for entry in entries {
                guard let state = states[entry.spec.id], case .set(entry.spec.properties, _) = state.change.action,
                    isSettled(state)
                else { return nil }
                found[state.group] = state.revision
            }
        case .rollback(let target, _, _):
            let wanted = Dictionary(
                model.states(at: target).map { ($0.group, $0.change.action) },
                uniquingKeysWith: { _, last in last }
            )
            for (group, state) in states {
                var isAsWanted = !state.change.action.isSet
                if let wanted = wanted[group], wanted.isSet { isAsWanted = state.change.action == wanted }
                guard isAsWanted, isSettled(state) else { return nil }
                found[group] = state.revision
            }
        default: return nil
        }
        return found
    }
}

extension Change.Action {
    fileprivate var isSet: Bool { if case .set = self { true } else { false } }
}
