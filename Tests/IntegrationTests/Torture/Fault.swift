/// What goes wrong on purpose.
enum Fault: String, CaseIterable {
    /// The manager is killed, and started again.
    case kill
    /// The manager stands still for longer than its lease.
    case standstill
    /// The processes that guard the manager's groups are killed.
    case guardKill = "guard-kill"
    /// Every manager is killed at once.
    case killAll = "kill-all"
    /// The wall clock jumps.
    case clockForward = "clock-forward"
    case clockBack = "clock-back"
    /// There is no room for the database.
    case fullDisk = "full-disk"
    /// The group plugin dies and forgets its groups.
    case pluginKill = "plugin-kill"
    /// The file of the manager's socket is removed.
    case socketRemoval = "socket-removal"
}
