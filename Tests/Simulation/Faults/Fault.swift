/// What can go wrong.
enum Fault: CaseIterable {
    /// A manager is killed, and started again later.
    case kill
    /// The leader is killed just after it has acknowledged a change.
    case killAtAnswer
    /// A manager is stopped, and goes on later.
    case pause
    /// A guard alone is stopped, and goes on later.
    case pauseGuard
    /// A manager ends in order.
    case orderlyStop
    /// A host is suspended.
    case suspend
    /// A host is without power.
    case powerCut
    /// Somebody sets a wall clock.
    case wallClockJump
    case busyStore, slowStore, failingStore, ambiguousStore, hangingStore
    /// Somebody puts an older copy in the place of the file.
    case olderCopy
    /// The file is gone, until somebody puts it back, or has another begun.
    case lostFile
    /// What the store has done, it tells late; and then it tells nothing any more.
    case fadingStore
    case slowPlugin, refusingPlugin, haltingPlugin, forgetfulPlugin, crashingPlugin, stillPlugin, lossyPlugin
    /// A plugin lives, and its socket is not there.
    case awayPlugin
    /// A plugin does not answer what it is asked about one group.
    case deafPlugin
    /// What a plugin says of its groups cannot be read.
    case unreadablePlugin
    /// In swarm mode: somebody else writes, empties, or removes the label, or puts an older one back.
    case strangeLabel
    /// The Engine of a node is cut off from the others, or hangs.
    case cutEngine, hangingEngine
    /// The office of the swarm's leader moves, or somebody changes the swarm.
    case movedOffice, touchedSwarm
    /// A node's copy is damaged.
    case damagedCopy

    static let ofSwarm: [Fault] = [
        .strangeLabel, .cutEngine, .hangingEngine, .movedOffice, .touchedSwarm, .damagedCopy,
    ]
    static let common = allCases.filter { !ofSwarm.contains($0) }
}
