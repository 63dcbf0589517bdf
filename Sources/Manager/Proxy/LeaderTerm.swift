internal import GroupSPI
internal import Store

/// What a leader knows of its groups in one term. There is none before the states are read.
struct LeaderTerm {
    let token: TermToken
    var states: [Identifier: GroupState]
    var reconciler = Reconciler()
    /// The groups whose update somebody has stopped: what the plugin keeps of it is to be looked at before it is told again.
    var stopped: Set<Identifier> = []
    /// Of each group, the change without an outcome that a later one has overtaken: should the plugin have carried it out, it
    /// does not count as superseded.
    var overtakenOpen: [Identifier: GroupState] = [:]
    /// The revisions that waited for somebody to confirm them when that was last looked at.
    var unconfirmed: Set<Int> = []
    /// The groups of which the newest change was refused.
    var refused: Set<Identifier>
    /// What the plugin was told of a group and has not answered: it may carry that out at any time, also after later calls.
    private var unanswered: [Identifier: [RawJSON]] = [:]

    init(_ token: TermToken, _ states: [GroupState], refused: Set<Identifier>, now: BootInstant) {
        self.token = token
        self.refused = refused
        self.states = Dictionary(states.map { ($0.group, $0) }, uniquingKeysWith: { _, last in last })
        reconciler.assume(states, now: now)
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
