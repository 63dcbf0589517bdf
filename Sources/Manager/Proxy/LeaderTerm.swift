internal import GroupSPI
internal import Store

/// What a leader knows of its groups in one term. There is none before the states are read.
struct LeaderTerm {
    let token: TermToken
    var states: [Identifier: GroupState]
    var reconciler = Reconciler()
    /// The groups whose update somebody has stopped: what the plugin keeps of it is to be looked at before it is told again.
    var stopped: Set<Identifier> = []

    init(_ token: TermToken, _ states: [GroupState], now: BootInstant) {
        self.token = token
        self.states = Dictionary(states.map { ($0.group, $0) }, uniquingKeysWith: { _, last in last })
        reconciler.assume(states, now: now)
    }
}
