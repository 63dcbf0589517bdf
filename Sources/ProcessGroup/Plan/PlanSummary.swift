/// What a new specification would do to a group, in numbers and in the words of InfraKit's own group plugin.
struct PlanSummary: Hashable, Sendable {
    /// Instances that the group has under its present specification.
    let oldSize: Int
    let newSize: Int
    /// Instances that are replaced because what runs, or under which logical ID, changes.
    let replaced: Int

    init(oldSize: Int, newSize: Int, replaced: Int) {
        self.oldSize = oldSize
        self.newSize = newSize
        self.replaced = replaced
    }

    /// - Parameters:
    ///   - next: the plan that would be followed.
    ///   - current: the plan that is followed.
    ///   - members: what exists.
    init(next: GroupPlan, current: GroupPlan, members: [GroupPlan.Member]) {
        let misfits = members.live.filter { !next.fits($0) }.count
        oldSize = current.target(members)
        newSize = next.wanted.count
        // What the shrinking takes away is not rolled as well.
        replaced = min(max(0, misfits - max(0, oldSize - newSize)), newSize)
    }

    var isNoop: Bool { oldSize == newSize && replaced == 0 }

    /// What would happen: the answer to `describe-update`.
    var plan: String { sentence(roll: "performs", add: "adds", terminate: "terminates") }

    /// What happens: the answer to a commit.
    var details: String { sentence(roll: "performing", add: "adding", terminate: "terminating") }

    /// The answer to the first commit of a group.
    static func managing(_ allocation: Allocation) -> String { "Managing \(allocation.count) instances" }

    private func sentence(roll: String, add: String, terminate: String) -> String {
        var clauses: [String] = []
        if newSize < oldSize {
            clauses.append("\(terminate) \(oldSize - newSize) instances to reduce the group size to \(newSize)")
        }
        if replaced > 0 { clauses.append("\(roll) a rolling update on \(replaced) instances") }
        if newSize > oldSize {
            clauses.append("\(add) \(newSize - oldSize) instances to increase the group size to \(newSize)")
        }
        guard !clauses.isEmpty else { return "Noop" }
        let sentence = clauses.joined(separator: ", then ")
        return sentence.prefix(1).uppercased() + sentence.dropFirst()
    }
}
