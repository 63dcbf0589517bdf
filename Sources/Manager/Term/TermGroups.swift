internal import GroupSPI
internal import Store

/// What a leader knows of its groups in one term. There is none before the states are read.
struct TermGroups {
    var states: [Identifier: GroupState]
    var reconciler = Reconciler()
    var room: ConfigurationRoom
    /// The groups whose update somebody has stopped: what the plugin keeps of it is to be looked at before it is told again.
    var stopped: Set<Identifier> = []
    /// Of each group, the change without an outcome that a later one has overtaken: should the plugin have carried it out, it
    /// does not count as superseded.
    var overtakenOpen: [Identifier: GroupState] = [:]
    /// The revisions that waited for somebody to confirm them when that was last looked at.
    var unconfirmed: Set<Int>
    /// The groups of which the newest change was refused.
    var refused: Set<Identifier>
    /// What the plugin was told of a group and has not answered: it may carry that out at any time, also after later calls.
    private var unanswered: [Identifier: [RawJSON]] = [:]

    /// - Parameters:
    ///   - refused: the groups of which the newest change was refused.
    ///   - unconfirmed: the revisions that wait for somebody to confirm them.
    ///   - limit: what the specifications of all groups may be together.
    init(
        _ states: [GroupState],
        refused: Set<Identifier>,
        unconfirmed: Set<Int>,
        limit: Int,
        now: BootInstant
    ) {
        (self.refused, self.unconfirmed) = (refused, unconfirmed)
        self.states = Dictionary(states.map { ($0.group, $0) }, uniquingKeysWith: { _, last in last })
        reconciler.assume(states, now: now)
        room = ConfigurationRoom(limit: limit)
        room.reset(states)
    }

    /// A revision was stored: from here on it is what has to be brought about.
    mutating func wrote(_ revision: Revision, isRefusable: Bool) {
        if revision.confirmation != nil { unconfirmed.insert(revision.number) }
        for change in revision.changes {
            let state = GroupState(
                group: change.group,
                change: change,
                revision: revision.number,
                previous: states[change.group]?.change.action
            )
            if let before = states[change.group], before.change.status == .pending {
                overtakenOpen[change.group] = before
            }
            states[change.group] = state
            stopped.remove(change.group)
            refused.remove(change.group)
            reconciler.wrote(state, isRefusable: isRefusable)
        }
    }

    /// The plugin has agreed to what a revision says of a group.
    mutating func applied(_ group: Identifier, revision: Int, now: BootInstant) {
        if let state = states[group], state.revision == revision {
            states[group] = state.with(.applied)
            overtakenOpen[group] = nil
        }
        reconciler.finished(group, revision: revision, .done, now: now)
    }

    /// The plugin has refused a change: what stood before stands again.
    ///
    /// - Parameter isHeld: the plugin has it still, if it had it.
    mutating func restore(_ state: GroupState?, of group: Identifier, isHeld: Bool, now: BootInstant) {
        states[group] = state
        room.note(group, state)
        reconciler.restore(state, of: group, isKnown: isHeld, now: now)
    }

    /// More than a plugin works at side by side.
    private static let mostUnanswered = 4

    /// Nobody knows whether the plugin has carried a call out.
    mutating func noteUnanswered(_ request: GroupRequest) {
        switch request {
        case .watch(let spec), .update(let spec), .commit(let spec, pretend: false):
            var specs = unanswered[spec.id, default: []].filter { $0 != spec.properties }
            specs.append(spec.properties)
            unanswered[spec.id] = Array(specs.suffix(Self.mostUnanswered))
        default: break
        }
    }

    /// The groups in whose place the plugin holds what it was told earlier, and had not answered.
    ///
    /// Only that is looked for: a plugin may tell what stands in other words than it was told.
    ///
    /// - Parameter groups: as the plugin tells them.
    func overtaken(in groups: [GroupSpec]) -> Set<Identifier> {
        guard !unanswered.isEmpty else { return [] }
        var found: Set<Identifier> = []
        for group in groups {
            guard let specs = unanswered[group.id], let standing = states[group.id]?.change.action, case .set = standing
            else { continue }
            let carriedOut = specs.filter { spec in
                PluginHolding(group.properties, after: .set(spec, plugin: ""), before: standing) == .new
            }
            if !carriedOut.isEmpty { found.insert(group.id) }
        }
        return found
    }
}

extension GroupState {
    /// The same, with another outcome.
    func with(_ status: Status, error: String? = nil) -> GroupState {
        GroupState(
            group: group,
            change: Change(group: group, action: change.action, status: status, error: error),
            revision: revision,
            previous: previous
        )
    }
}
