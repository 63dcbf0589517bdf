import Glibc
internal import GroupSPI
internal import Logging
internal import Platform

/// Taking charge of the group, and giving it up: of all plugins that share the state directory, one has it at a time.
extension GroupSupervisor {
    /// Takes the group's lock and adopts what runs, or tells that another plugin has the lock.
    ///
    /// While this plugin is still ending what a free or a destroy has left, it has the lock and knows more than the
    /// directory: nothing is read then.
    func takeCharge() throws(GroupError) -> Bool {
        if lock != nil { return true }
        do throws(SystemError) {
            lock = try directory.lock(group: id)
        } catch {
            throw GroupError(.rejected, "Group '\(id)' cannot be locked: \(error)")
        }
        guard lock != nil else { return false }
        do throws(SystemError) {
            try adopt()
        } catch {
            // Somebody who can read them may have it.
            lock = nil
            throw GroupError(.rejected, "The running processes of group '\(id)' cannot be determined: \(error)")
        }
        return true
    }

    /// Waits a moment before another attempt to take charge.
    ///
    /// The plugin that has the group was perhaps told to free it just now. During the wait other calls come in between:
    /// whoever waited has to look at everything anew.
    ///
    /// - Returns: false when it has been tried for long enough.
    func mayTryAgain(until deadline: ContinuousClock.Instant) async -> Bool {
        guard ContinuousClock.now < deadline else { return false }
        do {
            try await Task.sleep(for: .milliseconds(20), clock: .suspending)
            return true
        } catch {
            return false
        }
    }

    /// Not a refusal for good: its words are among those of ``GroupError/saysUpdating``, so that a manager asks again.
    /// Guarded by `ProcessGroupTakeoverTests`.
    var inAnotherPluginsCharge: GroupError {
        GroupError(
            .rejected,
            "Group '\(id)' cannot be watched or updated by this plugin yet: "
                + "another plugin on this host already watches it, and has to free it first"
        )
    }

    /// Carries through what had been told to end when the plugin before this one ended.
    func finishDoomed() async {
        let deadline = ContinuousClock.now + options.takeoverPatience
        do throws(GroupError) {
            repeat {
                if try takeCharge() { return }
            } while await mayTryAgain(until: deadline)
            logger.info("left what was told to end to the plugin that has the group")
        } catch {
            logger.error("could not finish what was told to end", metadata: ["error": "\(error)"])
        }
    }

    /// Lets any plugin take the group: its records tell that one what runs.
    func giveUpCharge() {
        guard let held = lock else { return }
        for instance in instances.values {
            if case .running(let process, _) = instance.state, process.isChild { leftChildren.insert(process) }
            if case .stopping(let stop) = instance.state, stop.process.isChild, !stop.hasLeaderEnded {
                leftChildren.insert(stop.process)
            }
        }
        if removesLogs && instances.isEmpty { directory.removeLogs(group: id) }
        removesLogs = false
        instances = [:]
        directory.tidyRecords(group: id)
        held.release()
        lock = nil
    }

    /// Has the kernel forget the children that have ended since they were let go.
    func collectLeftChildren() { leftChildren = leftChildren.filter { $0.end() == nil } }

    /// Reads the group's records. What runs is taken over, what was doomed is told again to end, and the records of
    /// those that have ended are removed.
    ///
    /// - Throws: ``SystemError`` when that cannot be known; nothing is changed then but for records of what has ended.
    private func adopt() throws(SystemError) {
        instances = [:]
        let now = ContinuousClock.now
        for var record in try directory.records(group: id, logger: logger) {
            if record.process == nil {
                record.process = try ProcessTable.sessionLeader(withEnvironment: "INFRAKIT_INSTANCE=\(record.id)")
            }
            guard let identity = record.process, ProcessTable.isAlive(identity) else {
                directory.remove(record)
                continue
            }
            logger.info(
                "found a running process",
                metadata: ["instance.id": "\(record.id)", "process.pid": "\(identity.pid)"]
            )
            let isChild = leftChildren.remove(RunningProcess(identity: identity, isChild: true)) != nil
            let process = RunningProcess(identity: identity, isChild: isChild)
            var instance = ManagedInstance(
                record: record,
                state: .running(process, since: now),
                backoff: options.backoff
            )
            if record.isDoomed {
                // The grace starts again, the signal is repeated.
                process.signalGroup(SIGTERM)
                instance.state = .stopping(
                    .init(process: process, killAt: now + options.stopGrace, hasLeaderEnded: false, restartDelay: nil)
                )
            }
            instances[record.id] = instance
        }
    }
}
