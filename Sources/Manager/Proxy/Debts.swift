internal import GroupSPI

/// What this replica's plugin may hold although this replica does not lead, or will not any more.
struct Debts: Sendable {
    /// Groups that the plugin was told in this run of the manager, and is not known to have let go.
    var told: Set<Identifier> = []
    /// Groups of calls of which nobody knows whether they were carried out, or still will be, and since when.
    var uncertain: [Identifier: BootInstant] = [:]
    /// Other groups of the history: let go where the plugin names them.
    var named: Set<Identifier> = []
    /// Something has to be let go, or looked for.
    var isOpen = false
    /// What the plugin keeps although it was told to let it go.
    var held: Set<Identifier> = []

    /// A call is about to be made that has the plugin watch a group.
    mutating func told(_ group: Identifier) { told.insert(group) }

    /// How a call came out that had the plugin watch a group.
    mutating func answered(_ group: Identifier, isKnown: Bool, _ now: BootInstant) {
        uncertain[group] = isKnown ? nil : now
    }

    /// The plugin has let a group go.
    mutating func ended(_ group: Identifier) {
        told.remove(group)
        uncertain[group] = nil
    }

    /// What was begun longer ago than this is over, whatever became of it.
    mutating func forget(uncertainBefore instant: BootInstant) { uncertain = uncertain.filter { $0.value > instant } }

    /// All of it was let go.
    mutating func settle() { self = Debts() }
}
