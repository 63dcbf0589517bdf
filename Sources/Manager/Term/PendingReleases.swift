internal import GroupSPI
internal import Synchronization

/// What this replica's plugin may hold although this replica does not lead, or will not any more. It outlives the terms, which note
/// in it what they tell the plugin.
final class PendingReleases: Sendable {
    struct State: Sendable {
        /// Groups that the plugin was told in this run of the manager, and is not known to have let go.
        var told: Set<Identifier> = []
        /// Groups of calls of which nobody knows whether they were carried out, or still will be, and since when.
        var uncertain: [Identifier: BootInstant] = [:]
        /// Other groups of the history: let go where the plugin names them.
        var named: Set<Identifier> = []
        /// Something has to be let go, or looked for: this replica has led since all was let go.
        var isOpen = false
        /// What the plugin keeps although it was told to let it go.
        var held: Set<Identifier> = []
        /// The groups stay where they are: this replica has the lease, be it suspended.
        var isKept = false
    }

    private let state = Mutex(State())

    var current: State { state.withLock(\.self) }
    var isOpen: Bool { state.withLock(\.isOpen) }
    var isKept: Bool { state.withLock(\.isKept) }

    /// Whether the groups are to stay where they are.
    func keep(_ isKept: Bool) { state.withLock { $0.isKept = isKept } }

    // MARK: - What a term notes

    /// A term begins: from here on there is something to let go.
    func begin() { state.withLock { ($0.isOpen, $0.held) = (true, []) } }

    /// - Parameters:
    ///   - told: what the plugin is to be told, or may watch.
    ///   - named: all groups of the history.
    func begin(with told: Set<Identifier>, named: some Sequence<Identifier>) {
        state.withLock { state in
            state.told.formUnion(told)
            state.named.formUnion(named)
        }
    }

    func named(_ groups: [Identifier]) { state.withLock { $0.named.formUnion(groups) } }

    /// A call is about to be made that has the plugin watch a group, or it was found to do so.
    func told(_ group: Identifier) { state.withLock { _ = $0.told.insert(group) } }

    /// How a call came out that had the plugin watch a group.
    func answered(_ group: Identifier, isKnown: Bool, _ now: BootInstant) {
        state.withLock { $0.uncertain[group] = isKnown ? nil : now }
    }

    /// The plugin has let a group go.
    func ended(_ group: Identifier) {
        state.withLock { state in
            state.told.remove(group)
            state.uncertain[group] = nil
        }
    }

    // MARK: - What letting go notes

    /// What was begun longer ago than this is over, whatever became of it.
    func forget(uncertainBefore instant: BootInstant) {
        state.withLock { state in state.uncertain = state.uncertain.filter { $0.value > instant } }
    }

    /// There is something to let go.
    func reopen() { state.withLock { $0.isOpen = true } }

    /// What remains after an attempt to let everything go.
    ///
    /// - Returns: the groups that the plugin may hold; nil when nothing more is known than before.
    func note(_ outcome: GroupRelease.Outcome) -> Set<Identifier>? {
        state.withLock { state in
            switch outcome {
            case .free where state.uncertain.isEmpty:
                state = State(isKept: state.isKept)
                return []
            case .free:
                state.told = Set(state.uncertain.keys)
                state.held = []
                return nil
            case .held(let groups):
                (state.told, state.held) = (groups.union(state.uncertain.keys), groups)
                return state.told
            case .unknown, .interrupted: return nil
            }
        }
    }
}
