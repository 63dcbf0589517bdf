internal import GroupSPI
internal import Logging
internal import Store
internal import Synchronization

/// The end of a term, and what a follower does about its own plugin.
extension TermSupervisor {
    /// How the end of a term came out.
    enum Parting: Hashable, Sendable {
        /// Another replica may act: the plugin has let everything go, or says that it keeps some.
        case over
        /// The plugin may hold groups, or come to hold some: the lease must not be given away.
        case open
        /// A newer term has begun, or the manager ends.
        case overtaken
    }

    /// Lets every group go, after the end of the lease: also those that an earlier term's end has not come round to.
    ///
    /// - Parameter isOrderly: the lease is renewed meanwhile. So what the plugin is carrying out is waited for, and no time is
    ///   short.
    func resign(epoch: Int, isOrderly: Bool) async -> Parting {
        lastEpoch = max(lastEpoch, epoch)
        var outcome = GroupRelease.Outcome.free
        while releases.isOpen, mayRelease {
            let isJoined = releasing != nil
            outcome = await releaseGroups(isOrderly ? settings.orderlyFreeTimeout : settings.freeTimeout, epoch)
            // What was under way already may have begun with less, or have been ended by a term that is over by now.
            if !isJoined { break }
        }
        // Before the lease is released: afterwards nobody of this term may write.
        await unfinished?.settled()
        guard mayRelease else { return .overtaken }
        let pending = releases.current
        switch outcome {
        case .free where pending.uncertain.isEmpty: return .over
        case .held(let groups):
            logger.error(
                "groups still held by the plugin",
                metadata: ["lease.epoch": "\(epoch)", "groups": "\(groups.sorted().joined(separator: ","))"]
            )
            return pending.uncertain.isEmpty ? .over : .open
        case .free, .unknown:
            logger.error(
                "not known whether the plugin holds groups; the lease is left to run out",
                metadata: ["lease.epoch": "\(epoch)", "groups": "\(pending.told.sorted().joined(separator: ","))"]
            )
            return .open
        case .interrupted: return .overtaken
        }
    }

    /// Neither has this replica the lease, nor does the manager end, nor has whoever waits given up.
    private var mayRelease: Bool { !releases.isKept && !isClosed && !Task.isCancelled }

    private func releaseGroups(_ timeout: Duration, _ epoch: Int) async -> GroupRelease.Outcome {
        let task = releasing ?? Task { await freeAll(timeout, epoch) }
        releasing = task
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func freeAll(_ timeout: Duration, _ epoch: Int) async -> GroupRelease.Outcome {
        defer { releasing = nil }
        releases.forget(uncertainBefore: dependencies.clock.now() + uncertainty * -1)
        let pending = releases.current
        let calls = unfinished?.calls
        let isBusy = calls?.isIdle == false
        // No step for so long: then it is not known whether there will ever be one.
        let stall: @Sendable () -> Void = { [dependencies] in dependencies.report(.stalled(epoch: epoch)) }
        let alarm = Alarm(isBusy ? uncertainty : settings.letGoPatience, dependencies.clock, stall)
        defer { alarm.stop() }
        let release = release(timeout, alarm: alarm, isAway: stall)
        // At once, whatever the store and the calls under way are waiting for...
        var outcome = await release.run(pending.told, own: pending.named, while: keepsGuardBack())
        if let calls {
            // ... and again after those calls, for what they have brought about.
            await calls.drained()
            alarm.putOff()
            if isBusy, outcome != .interrupted {
                outcome = await release.run(
                    pending.told,
                    own: pending.named,
                    looksFirst: outcome == .free,
                    while: keepsGuardBack()
                )
            }
        }
        note(outcome)
        return outcome
    }

    /// What remains after an attempt to let everything go.
    private func note(_ outcome: GroupRelease.Outcome) {
        if let rest = releases.note(outcome) {
            dependencies.orphanGuard.forgetAll()
            for group in rest { dependencies.orphanGuard.note(group) }
        } else if outcome == .unknown {
            dependencies.orphanGuard.postpone(until: dependencies.clock.now() + settings.reconcileInterval * 3)
        }
        dependencies.noteReleaseTime()
    }

    private func release(
        _ timeout: Duration,
        alarm: Alarm? = nil,
        isAway: @escaping @Sendable () -> Void = {}
    ) -> GroupRelease {
        GroupRelease(
            plugin: dependencies.plugin,
            clock: dependencies.clock,
            timeout: timeout,
            patience: settings.letGoPatience,
            logger: logger,
            isAway: isAway,
            gotOn: { alarm?.putOff() },
            pace: dependencies.pace
        )
    }

    /// Lets groups go as long as they are not to stay. As long as this process does it, its guard need not: both would free the same
    /// ones.
    private func keepsGuardBack() -> @Sendable () -> Bool {
        let (dependencies, releases) = (dependencies, releases)
        return {
            guard !releases.isKept else { return false }
            dependencies.orphanGuard.postpone(until: dependencies.clock.now() + dependencies.settings.guardGrace)
            return true
        }
    }

    /// For so long a call of which nobody has heard may still be carried out.
    private var uncertainty: Duration { max(settings.rpcTimeout, settings.letGoPatience) }

    // MARK: - Following

    /// A follower's look at its own plugin, again and again: what it holds of this store's groups is let go. It may be left
    /// over from a predecessor that crashed, the plugin may have been away when this replica's term ended, or have carried out
    /// late what it was told then.
    ///
    /// - Parameter isLed: another replica leads, with another plugin.
    func lookAtOwnPlugin(isLed: Bool) async {
        guard unfinished == nil, releasing == nil, mayRelease, isLed || releases.isOpen else { return }
        let task = Task { await freeLeftovers() }
        releasing = task
        _ = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func freeLeftovers() async -> GroupRelease.Outcome {
        defer { releasing = nil }
        let now = dependencies.clock.now()
        releases.forget(uncertainBefore: now + uncertainty * -1)
        dependencies.orphanGuard.postpone(until: now + settings.reconcileInterval * 3)
        var reported: Set<Identifier>?
        do throws(GroupError) {
            guard case .groups(let groups) = try await dependencies.plugin.call(.inspect, within: settings.freeTimeout)
            else { return .unknown }
            if groups.isEmpty { return settled(.free) }
            reported = Set(groups.map(\.id))
        } catch {
            guard error.code == .unreadable else { return .unknown }
        }
        guard let states = try? await dependencies.store.states(at: nil, within: settings.storeTimeout),
            !Task.isCancelled
        else { return .unknown }
        let pending = releases.current
        let own = pending.told.union(pending.named).union(states.map(\.group))
        // What cannot be read is let go by name.
        let leftovers = reported?.intersection(own) ?? own
        if leftovers.isEmpty { return settled(.free) }
        if leftovers != pending.held {
            logger.warning(
                "the plugin holds groups while this replica does not lead; letting them go",
                metadata: ["groups": "\(leftovers.sorted().joined(separator: ","))"]
            )
        }
        releases.reopen()
        return settled(await release(settings.freeTimeout).run(leftovers, own: own, while: keepsGuardBack()))
    }

    /// - Returns: the same.
    private func settled(_ outcome: GroupRelease.Outcome) -> GroupRelease.Outcome {
        note(outcome)
        // Nothing is left that a guard would have to do.
        if !releases.isOpen { dependencies.report(.freed(epoch: lastEpoch)) }
        return outcome
    }
}

/// Rings when it was not put off for so long.
private final class Alarm: Sendable {
    private let patience: Duration
    private let clock: any ManagerClock
    private let due: Mutex<BootInstant>
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ patience: Duration, _ clock: any ManagerClock, _ ring: @escaping @Sendable () -> Void) {
        (self.patience, self.clock) = (patience, clock)
        due = Mutex(clock.now() + patience)
        // Not a child: it ends with what it watches over.
        let task = Task { [self] in
            while true {
                let instant = due.withLock(\.self)
                guard (try? await clock.sleep(until: instant)) != nil else { return }
                if due.withLock(\.self) == instant { return ring() }
            }
        }
        self.task.withLock { $0 = task }
    }

    func putOff() {
        let now = clock.now()
        due.withLock { $0 = now + patience }
    }

    func stop() { task.withLock { $0?.cancel() } }
}
