import Glibc
internal import Platform

/// A process that leads a process group of its own: one that this plugin started, or one found again.
struct RunningProcess: Hashable, Sendable {
    let identity: ProcessInstance
    /// Started by this run of the plugin: it is ours to collect when it has ended.
    let isChild: Bool

    /// How it ended, or nil while it runs. Collects a child, which therefore can be asked only once.
    ///
    /// Asks for this very process and never for "any child": other parts of the program may have children too.
    func end() -> ProcessEnd? {
        guard isChild else { return ProcessTable.isAlive(identity) ? nil : .unknown }
        var status: Int32 = 0
        while true {
            let result = waitpid(identity.pid, &status, WNOHANG)
            if result == identity.pid { return ProcessEnd(waitStatus: status) }
            if result == 0 { return nil }
            // Someone ignores SIGCHLD or has collected our child: the process table is all that is left to ask.
            if errno != EINTR { return ProcessTable.isAlive(identity) ? nil : .unknown }
        }
    }

    /// True while anything runs in its process group, also when the process itself has ended.
    var hasLivingGroup: Bool { ProcessTable.hasLivingMember(processGroup: identity.pid) }

    /// Signals the process and all that it has started and that stayed in its group.
    ///
    /// To be called only while ``end()`` says that it runs, or right after while ``hasLivingGroup``: as long as either
    /// is true, the kernel gives the number to nobody else.
    func signalGroup(_ signal: Int32) {
        guard identity.pid > 1 else { return }
        _ = kill(-identity.pid, signal)
    }
}
