internal import GroupSPI

extension GroupPlan {
    /// The next step of a group whose members are interchangeable.
    func next(_ members: [Member], size: Int) -> Outcome {
        let live = members.live
        let old = live.filter { !fits($0) }
        let target = target(members)
        let excess = live.count - target

        if excess < 0 { return .act(Array(repeating: .start(logicalID: nil), count: -excess)) }
        if old.isEmpty || isHalted {
            if excess > 0 { return stop(excess, of: live) }
            return members.isCalm ? .rest : .wait
        }
        // A roll: one more than the target runs while the newest settles; then one of the old ones ends.
        let new = live.filter(fits)
        switch excess {
        case 0:
            let isReady = new.isCalm && live.count == members.count
            return isReady ? .act([.start(logicalID: nil)]) : .wait
        case 1:
            return new.isCalm ? stop(1, of: old) : .wait
        default:
            return stop(min(excess - 1, old.count), of: old)
        }
    }

    /// Stops those whose loss hurts least: first what does not run, then what has not settled, then the old version;
    /// once halted, the new one, which takes back the step that was begun.
    private func stop(_ count: Int, of candidates: [Member]) -> Outcome {
        func worth(_ member: Member) -> (Int, Int, Identifier) {
            let age =
                switch member.condition {
                case .stopping, .waiting: 0
                case .settling: 1
                case .settled: 2
                }
            return (age, fits(member) == isHalted ? 0 : 1, member.id)
        }
        let order = candidates.sorted { worth($0) < worth($1) }
        return .act(order.prefix(count).map { .stop(id: $0.id) })
    }
}
