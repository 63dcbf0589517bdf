import GroupSPI
import StoreFakes

@testable import Store

/// What a snapshot is to hold, kept without a thought for its size: every revision whole, nothing trimmed.
struct SnapshotModel {
    var history = HistoryModel()
    var confirmations: [Int: Confirmation.State] = [:]
    var tags: [Identifier: Int] = [:]
    var settled: [String: Snapshot.Settled] = [:]
    var terms: [Term] = []
    var acknowledged: Set<Int> = []

    /// - Returns: the error that the step is to have had; nil for none.
    mutating func take(_ step: LeaderScript.Step, time: Int) -> StoreError.Code? {
        switch step {
        case .acquired(let candidate, let reason, let lease):
            endTerm(time, reason)
            let name = candidate.id.name
            terms.insert(Term(epoch: terms.count + 1, manager: name, from: time, until: nil, reason: nil), at: 0)
            return lease.epoch == terms.count ? nil : .fenced
        case .released(_, let reason): endTerm(time, reason)
        case .appended(_, _, let revision):
            history.append(revision)
            if revision.confirmation != nil { confirmations[revision.number] = .waiting }
        case .recorded(let outcome, _):
            guard (1...max(1, history.revisions.count)).contains(outcome.revision) else { return nil }
            history.record(outcome)
            let isRefused = history.revisions[outcome.revision - 1].changes.allSatisfy { $0.status == .rejected }
            if isRefused, confirmations[outcome.revision] == .waiting { confirmations[outcome.revision] = .rejected }
        case .marked(.tag(let name, let revision, let moving), _, _, _):
            guard (1...max(1, history.revisions.count)).contains(revision), !history.revisions.isEmpty else {
                return .notFound
            }
            if let taken = tags[name], taken != revision, !moving { return .conflict }
            tags[name] = revision
        case .marked(.untag(let name), _, _, _):
            return tags.removeValue(forKey: name) == nil ? .notFound : nil
        case .marked(.confirm(let revision), _, _, _): return end(revision, .confirmed)
        case .marked(.acknowledge(let number, _), _, _, _):
            guard history.revisions.indices.contains(number - 1) else { return .notFound }
            let isRefused = history.revisions[number - 1].changes.contains { $0.status == .rejected }
            guard isRefused, acknowledged.insert(number).inserted else { return .conflict }
        case .ended(let revision, let state, _): return end(revision, state)
        case .settled(let request, _):
            guard settled[request.id] == nil else { return .conflict }
            settled[request.id] = request
        case .answered(let id, let answer):
            guard settled[id]?.answer == nil else { return nil }
            if settled[id] == nil {
                settled[id] = Snapshot.Settled(id: id, state: .done, answer: answer, until: time + 60_000)
            }
            settled[id]?.answer = answer
        case .trimmed: settled = settled.filter { $0.value.until >= time }
        }
        return nil
    }

    private mutating func end(_ revision: Int, _ state: Confirmation.State) -> StoreError.Code? {
        guard let known = confirmations[revision] else { return .notFound }
        guard known == .waiting else { return .conflict }
        confirmations[revision] = state
        return nil
    }

    private mutating func endTerm(_ time: Int, _ reason: String) {
        guard let last = terms.first, last.until == nil else { return }
        terms[0] = Term(epoch: last.epoch, manager: last.manager, from: last.from, until: time, reason: reason)
    }

    /// What stands at a revision.
    func groups(at number: Int) -> [Identifier: GlobalConfig.Entry] {
        var groups: [Identifier: GlobalConfig.Entry] = [:]
        for state in history.states(at: number) {
            groups[state.group] = state.spec.map { GlobalConfig.Entry(spec: $0.spec, plugin: $0.plugin) }
        }
        return groups
    }
}

extension LeaderScript.Step {
    var error: StoreError.Code? {
        switch self {
        case .marked(_, _, _, let error), .ended(_, _, let error), .settled(_, let error): error
        default: nil
        }
    }
}
