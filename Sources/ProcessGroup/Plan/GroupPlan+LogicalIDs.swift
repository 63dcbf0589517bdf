internal import GroupSPI

extension GroupPlan {
    /// The next step of a group in which every member has a name of its own.
    func next(_ members: [Member], logicalIDs ids: [Identifier]) -> Outcome {
        let live = members.live
        var occupants: [Identifier: Member] = [:]
        for member in live {
            guard let id = member.logicalID, ids.contains(id) else { continue }
            occupants[id] = occupants[id].map { better($0, member) } ?? member
        }
        let kept = Set(occupants.values.map(\.id))
        let stale = live.filter { !kept.contains($0.id) }.sorted { $0.id < $1.id }
        let busy = Set(members.filter { $0.condition == .stopping }.compactMap(\.logicalID))
        let missing = ids.filter { occupants[$0] == nil }
        let heldIDs = heldIDs

        // A second member of one ID must not be, whatever else goes on.
        let doubles = stale.filter { member in member.logicalID.map { occupants[$0] != nil } ?? false }
        if !doubles.isEmpty { return .act(doubles.map { .stop(id: $0.id) }) }

        let starts = missing.filter { heldIDs.contains($0) && !busy.contains($0) }
        if !starts.isEmpty { return .act(starts.map { .start(logicalID: $0) }) }
        if isHalted { return members.isCalm ? .rest : .wait }

        if !stale.isEmpty {
            guard live.count > ids.count || missing.isEmpty else {
                return startOne(of: missing, busy: busy, members)
            }
            // What replaces a stale member has to settle first; the trouble of others is no reason to wait.
            let replacements = live.filter { member in member.logicalID.map { !heldIDs.contains($0) } ?? false }
            return replacements.filter(fits).isCalm ? .act([.stop(id: stale[0].id)]) : .wait
        }
        if let old = ids.compactMap({ occupants[$0] }).first(where: { !fits($0) }) {
            return members.isCalm ? .act([.stop(id: old.id)]) : .wait
        }
        // The roll's last one is on its way from stop to start: still rolling.
        if missing.contains(where: heldIDs.contains) { return .wait }
        let growth = missing.filter { !busy.contains($0) }
        if !growth.isEmpty { return .act(growth.map { .start(logicalID: $0) }) }
        return members.isCalm ? .rest : .wait
    }

    private var heldIDs: Set<Identifier> {
        if case .logicalIDs(let ids) = held { return Set(ids) }
        return []
    }

    private func startOne(of missing: [Identifier], busy: Set<Identifier>, _ members: [Member]) -> Outcome {
        guard members.isCalm, let id = missing.first(where: { !busy.contains($0) }) else { return .wait }
        return .act([.start(logicalID: id)])
    }

    /// Of two members of one ID, the one to keep: of the new version, settled, of the lower ID.
    private func better(_ left: Member, _ right: Member) -> Member {
        func worth(_ member: Member) -> (Int, Int) { (fits(member) ? 1 : 0, member.condition == .settled ? 1 : 0) }
        if worth(left) != worth(right) { return worth(left) > worth(right) ? left : right }
        return left.id < right.id ? left : right
    }
}
