internal import GroupSPI

/// Decides what a group's supervisor does next, from what exists and what is wanted.
///
/// A value without a clock or a process: the supervisor shows it the members, carries out the steps, and asks again
/// when something has changed. Rules that hold at every step, guarded by `GroupPlanTests`:
/// - a group without logical IDs never has fewer running members because of a roll: the new one comes first;
/// - a roll goes on only when all that it started before has settled, so a broken version stops at one instance;
/// - two members of one logical ID never run at the same time.
struct GroupPlan: Hashable, Sendable {
    /// One instance as the plan sees it.
    struct Member: Hashable, Sendable {
        enum Condition: Hashable, Sendable {
            /// Not running: it died and will be started again, or could not be started.
            case waiting
            /// Running, but not long enough to be relied on.
            case settling
            case settled
            /// On its way out.
            case stopping
        }

        let id: Identifier
        let logicalID: Identifier?
        let configSHA: String
        let condition: Condition
    }

    enum Step: Hashable, Sendable {
        case start(logicalID: Identifier?)
        case stop(id: Identifier)
    }

    enum Outcome: Hashable, Sendable {
        /// Carry these out, then ask again.
        case act([Step])
        /// Something has to settle or to end first.
        case wait
        /// The group is as the specification wants it, or as a halted update left it.
        case rest
    }

    let wanted: Allocation
    let configSHA: String
    /// What is kept up until a roll is through; `wanted` counts from then on. This is why a group shrinks before a
    /// roll and grows after it: no instance is started only to be rolled.
    let held: Allocation
    /// A user stopped the update, or it failed: what runs is kept up, and nothing is replaced.
    private(set) var isHalted = false

    /// The plan for a group that was not watched before: what is missing is started at once.
    init(first wanted: Allocation, configSHA: String) {
        self.init(wanted: wanted, held: wanted, configSHA: configSHA)
    }

    /// The plan that takes over from `previous`.
    init(wanted: Allocation, configSHA: String, after previous: GroupPlan, members: [Member]) {
        let held: Allocation
        switch wanted {
        case .size(let size):
            held = .size(min(size, previous.target(members)))
        case .logicalIDs(let ids):
            var present = Set(members.compactMap(\.logicalID))
            if case .logicalIDs(let before) = previous.target { present.formUnion(before) }
            held = .logicalIDs(ids.filter(present.contains))
        }
        self.init(wanted: wanted, held: held, configSHA: configSHA)
    }

    private init(wanted: Allocation, held: Allocation, configSHA: String) {
        self.wanted = wanted
        self.held = held
        self.configSHA = configSHA
    }

    mutating func halt() { isHalted = true }

    /// True when a member is what the specification describes, so that it may be restarted as it is.
    func fits(_ member: Member) -> Bool { fits(logicalID: member.logicalID, configSHA: member.configSHA) }

    func fits(logicalID: Identifier?, configSHA: String) -> Bool {
        guard configSHA == self.configSHA else { return false }
        switch (wanted, logicalID) {
        case (.size, nil): return true
        case (.logicalIDs(let ids), let id?): return ids.contains(id)
        default: return false
        }
    }

    func next(_ members: [Member]) -> Outcome {
        // What has died and is no longer wanted as it was has nothing to be restarted from.
        let dead = members.filter { $0.condition == .waiting && !fits($0) }
        if !dead.isEmpty { return .act(dead.map { .stop(id: $0.id) }) }
        switch wanted {
        case .size(let size): return next(members, size: size)
        case .logicalIDs(let ids): return next(members, logicalIDs: ids)
        }
    }

    /// True when `members` are what is wanted, all of them running and settled.
    func isConverged(_ members: [Member]) -> Bool {
        resumed.next(members) == .rest
    }

    /// How many instances the plan keeps up at this moment.
    func target(_ members: [Member]) -> Int {
        let isRolling = members.contains { $0.condition != .stopping && !fits($0) }
        return isHalted || isRolling ? held.count : wanted.count
    }

    private var target: Allocation { isHalted ? held : wanted }

    private var resumed: GroupPlan {
        var copy = self
        copy.isHalted = false
        return copy
    }
}

extension [GroupPlan.Member] {
    var live: [GroupPlan.Member] { filter { $0.condition != .stopping } }
    var isCalm: Bool { allSatisfy { $0.condition == .settled } }
}
