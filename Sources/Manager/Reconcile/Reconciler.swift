public import GroupSPI
public import Store

/// Decides which groups the plugin has to be told about, and when, so that it comes to do what the history says.
///
/// A value without a clock or a socket: what happened goes in, what is due comes out. It lives for one term.
public struct Reconciler: Sendable {
    /// What the plugin is to be brought to.
    public enum Goal: Hashable, Sendable {
        case watched(GroupSpec)
        case freed
        /// The spec is for a plugin that has to know a group before it can end it.
        case destroyed(previous: GroupSpec?)
    }

    /// One thing to do.
    public struct Task: Hashable, Sendable {
        public let group: Identifier
        public let goal: Goal
        public let revision: Int
        /// The revision's outcome is still open: the plugin's answer settles it.
        public let isPending: Bool
        /// The plugin's no settles it too. Not so when an earlier leader may have told the user that the plugin had agreed:
        /// what was acknowledged stands, and the plugin is asked again.
        public let isRefusable: Bool
    }

    /// How a task, or a user's write, went.
    public enum Result: Hashable, Sendable {
        case done
        /// The plugin answered no.
        case refused
        /// The plugin did not answer.
        case noAnswer
    }

    private var entries = Entries()
    /// The groups that the plugin must not watch any more, and since when that is so.
    private var ended: [Identifier: BootInstant] = [:]

    public init() {}

    /// Starts a term: everything that stands has to be told to the plugin.
    public mutating func assume(_ states: [GroupState], now: BootInstant) {
        (entries, ended) = (Entries(), [:])
        for state in states {
            adopt(state, phase: .due(now))
            if entries[state.group] == nil { ended[state.group] = now }
        }
    }

    /// A write was stored and is being carried out.
    ///
    /// - Parameters:
    ///   - state: what stands of the group.
    ///   - isRefusable: see ``Task/isRefusable``.
    public mutating func wrote(_ state: GroupState, isRefusable: Bool = true) {
        let followsSettled = entries[state.group].map { if case .settled = $0.phase { true } else { false } } ?? true
        ended[state.group] = nil
        adopt(state, phase: .working, isOwn: isRefusable)
        entries[state.group]?.followsSettled = followsSettled
    }

    /// The plugin refused a pending change: the group's state is what it was before.
    ///
    /// - Parameters:
    ///   - state: what stands of the group.
    ///   - group: its name.
    ///   - isKnown: the plugin has that state still, if it had it. Otherwise it has to be told: it may be new to the
    ///     group, or have carried the change out at an attempt whose answer was lost, and refused only another one.
    ///   - now: the present moment.
    public mutating func restore(_ state: GroupState?, of group: Identifier, isKnown: Bool, now: BootInstant) {
        let isKnown = isKnown && entries[group]?.followsSettled ?? true
        entries[group] = nil
        if let state { adopt(state, phase: isKnown && state.change.status != .pending ? .settled(now) : .due(now)) }
        guard entries[group] == nil else { return }
        if isKnown {
            if state != nil { ended[group] = now }
        } else {
            release(group, revision: state?.revision ?? 0, now: now)
        }
    }

    /// A task, or a user's write, has ended.
    public mutating func finished(_ group: Identifier, revision: Int, _ result: Result, now: BootInstant) {
        // A newer revision has taken the group over meanwhile: the result is about something that no longer counts.
        guard var entry = entries[group], entry.task.revision == revision else { return }
        switch result {
        case .done:
            guard case .watched = entry.task.goal else {
                entries[group] = nil
                ended[group] = now
                return
            }
            entry.attempts = 0
            entry.task = Task(
                group: group,
                goal: entry.task.goal,
                revision: revision,
                isPending: false,
                isRefusable: false
            )
            entry.phase = .settled(now)
        case .refused, .noAnswer:
            entry.attempts += 1
            entry.phase = .due(now + Self.delay(afterAttempts: entry.attempts))
        }
        entries[group] = entry
    }

    /// The plugin told which groups it watches. What it has forgotten (it may have restarted) is due again; what has ended
    /// is let go (it may be left over from an earlier term, while another led). Of other groups nobody has said anything.
    ///
    /// - Parameters:
    ///   - groups: that the plugin says it watches.
    ///   - askedAt: before the question; what was confirmed later than that says nothing about the answer.
    ///   - now: the present moment.
    /// - Returns: what is let go.
    @discardableResult
    public mutating func pluginReports(
        _ groups: Set<Identifier>,
        askedAt: BootInstant,
        now: BootInstant
    ) -> Set<Identifier> {
        let leftovers = groups.filter { group in
            guard let since = ended[group], since < askedAt else { return false }
            return entries[group] == nil
        }
        for group in leftovers { release(group, revision: 0, now: now) }
        for (group, entry) in entries.all where !groups.contains(group) {
            guard case .settled(let since) = entry.phase, since < askedAt else { continue }
            entries[group]?.phase = .due(now)
        }
        return leftovers
    }

    /// What has to be done now: first what has been due for longest, and of that in the order of the groups' names. Each task is
    /// given out once, until it is reported as finished.
    ///
    /// - Parameters:
    ///   - now: the present moment.
    ///   - limit: at most so many.
    public mutating func takeDue(now: BootInstant, limit: Int = .max) -> [Task] {
        var tasks: [Task] = []
        while tasks.count < limit, let (group, instant) = entries.firstDue, instant <= now, let entry = entries[group] {
            tasks.append(entry.task)
            entries[group]?.phase = .working
        }
        return tasks
    }

    /// When something will be due; nil when nothing waits.
    public var nextDue: BootInstant? { entries.firstDue?.instant }

    /// The task that stands for a group now; nil when nothing is to be done to it.
    public func task(for group: Identifier) -> Task? { entries[group]?.task }

    /// The groups that the plugin may watch: those that stand, and those whose end it has not confirmed.
    public var groups: Set<Identifier> { Set(entries.all.keys) }

    /// The groups that the plugin is to watch.
    public var watchedGroups: Set<Identifier> {
        Set(
            entries.all.values.compactMap { entry in
                guard case .watched = entry.task.goal else { return nil }
                return entry.task.group
            }
        )
    }

    /// True when the plugin has confirmed everything.
    public var isSettled: Bool {
        entries.all.values.allSatisfy { entry in
            guard case .settled = entry.phase else { return false }
            return true
        }
    }

    // MARK: - Rules

    private mutating func release(_ group: Identifier, revision: Int, now: BootInstant) {
        ended[group] = nil
        let task = Task(group: group, goal: .freed, revision: revision, isPending: false, isRefusable: false)
        entries[group] = Entry(task: task, phase: .due(now))
    }

    /// - Parameter isOwn: written in this term, which knows what its user was told, and may be refused.
    private mutating func adopt(_ state: GroupState, phase: Phase, isOwn: Bool = false) {
        let isPending = state.change.status == .pending
        let goal: Goal
        switch state.change.action {
        case .set(let properties, _): goal = .watched(GroupSpec(id: state.group, properties: properties))
        // What was freed or destroyed and confirmed stays so: it does not come back with a new leader.
        case .free, .destroy:
            guard isPending else {
                entries[state.group] = nil
                return
            }
            goal = state.change.action == .free ? .freed : .destroyed(previous: Self.spec(state))
        }
        let task = Task(
            group: state.group,
            goal: goal,
            revision: state.revision,
            isPending: isPending,
            isRefusable: isPending && (isOwn || state.change.error != nil)
        )
        entries[state.group] = Entry(task: task, phase: phase)
    }

    private static func spec(_ state: GroupState) -> GroupSpec? {
        guard case .set(let properties, _) = state.previous else { return nil }
        return GroupSpec(id: state.group, properties: properties)
    }

    /// Doubling from half a second to half a minute.
    static func delay(afterAttempts attempts: Int) -> Duration {
        .milliseconds(min(30_000, 500 << min(attempts - 1, 10)))
    }
}
