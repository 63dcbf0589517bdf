/// One instance in the care of a ``GroupSupervisor``.
struct ManagedInstance {
    enum State {
        case running(RunningProcess, since: ContinuousClock.Instant)
        case stopping(Stop)
        /// Dead; to be started again at that time.
        case waiting(until: ContinuousClock.Instant)
    }

    /// A process on its way out.
    struct Stop {
        let process: RunningProcess
        /// When SIGKILL follows.
        let killAt: ContinuousClock.Instant
        /// When SIGKILL was sent first.
        var killedAt: ContinuousClock.Instant?
        /// The process itself has ended (and its number was given back); others of its group may still run.
        var hasLeaderEnded: Bool
        /// Set when it died by itself and only its remains are cleared away: it is started again after this wait.
        var restartDelay: Duration?

        /// True when SIGKILL has had ample time. Not even that ends the processes of another user in the group.
        func isHopeless(_ now: ContinuousClock.Instant) -> Bool {
            guard hasLeaderEnded, let killedAt else { return false }
            return now - killedAt > .seconds(30)
        }
    }

    var record: InstanceRecord
    var state: State
    var backoff: RestartBackoff

    /// What ``GroupPlan`` sees.
    func member(now: ContinuousClock.Instant, settleTime: Duration) -> GroupPlan.Member {
        let condition: GroupPlan.Member.Condition =
            switch state {
            case .waiting: .waiting
            case .running(_, let since): now - since >= settleTime ? .settled : .settling
            case .stopping(let stop): stop.restartDelay == nil ? .stopping : .waiting
            }
        return GroupPlan.Member(
            id: record.id,
            logicalID: record.logicalID,
            configSHA: record.configSHA,
            condition: condition
        )
    }

    /// True while the process itself is there.
    var hasProcess: Bool {
        switch state {
        case .running: true
        case .stopping(let stop): !stop.hasLeaderEnded
        case .waiting: false
        }
    }
}

extension ManagedInstance {
    var isStopping: Bool {
        if case .stopping = state { return true }
        return false
    }

    /// True when SIGKILL was sent a while ago: a plugin that stops waits no longer.
    func isGivenUp(_ now: ContinuousClock.Instant) -> Bool {
        guard case .stopping(let stop) = state, let killedAt = stop.killedAt else { return false }
        return now - killedAt > .seconds(1)
    }
}
