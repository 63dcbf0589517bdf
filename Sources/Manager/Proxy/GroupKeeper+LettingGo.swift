internal import GroupSPI
internal import Logging
internal import Store
internal import Synchronization

/// The end of a term, and what a follower does about its own plugin.
extension GroupKeeper {
    /// How the end of a term came out.
    enum Parting: Hashable, Sendable {
        /// Another replica may act: the plugin has let everything go, or says that it keeps some.
        case over
        /// The plugin may hold groups, or come to hold some: the lease must not be given away.
        case open
        /// A newer term has begun, or the manager ends.
        case overtaken
    }

    /// Stops acting at once, then lets every group go: also those that an earlier term's end has not come round to.
    ///
    /// - Parameter isOrderly: the lease is renewed meanwhile. So what the plugin is carrying out is waited for, and no time is
    ///   short.
    func resign(epoch: Int, isOrderly: Bool) async -> Parting {
        endedEpoch = max(endedEpoch, epoch)
        if let token = term?.token ?? beginning, token.epoch <= epoch { end(token, patiently: isOrderly) }
        var outcome = GroupRelease.Outcome.free
        while debts.isOpen, assumedEpoch <= epoch, endedEpoch != .max, !Task.isCancelled {
            let isJoined = freeing != nil
            outcome = await letGo(isOrderly ? settings.orderlyFreeTimeout : settings.freeTimeout, epoch)
            // What was under way already may have begun with less, or have been ended by a term that is over by now.
            if !isJoined { break }
        }
        // Before the lease is released: afterwards nobody of this term may write.
        _ = await recording?.value
        guard assumedEpoch <= epoch, endedEpoch != .max, !Task.isCancelled else { return .overtaken }
        switch outcome {
        case .free where debts.uncertain.isEmpty: return .over
        case .held(let groups):
            logger.error(
                "groups still held by the plugin",
                metadata: ["lease.epoch": "\(epoch)", "groups": "\(groups.sorted().joined(separator: ","))"]
            )
            return debts.uncertain.isEmpty ? .over : .open
        case .free, .unknown:
            logger.error(
                "not known whether the plugin holds groups; the lease is left to run out",
                metadata: ["lease.epoch": "\(epoch)", "groups": "\(debts.told.sorted().joined(separator: ","))"]
            )
            return .open
        case .interrupted: return .overtaken
        }
    }

    /// The lease is not renewed any more: what the plugin is carrying out is not waited for any longer.
    func letRunOut(epoch: Int) {
        if let ended, ended.epoch <= epoch { ended.cancelAll() }
    }

    /// Stops acting for good; what is not free yet is left to the orphan guard.
    func end() async {
        endedEpoch = .max
        if let token = term?.token ?? beginning { end(token, patiently: false) }
        ended?.cancelAll()
        freeing?.cancel()
        await rounds?.value
    }

    func end(_ token: TermToken, patiently isPatient: Bool) {
        token.end(patiently: isPatient)
        board.ended(epoch: token.epoch)
        if let term {
            debts.told.formUnion(term.reconciler.groups)
            debts.named.formUnion(term.states.keys)
        }
        debts.isOpen = true
        (term, beginning) = (nil, nil)
        room.reset([])
        sleeper?.cancel()
        ended = token
    }

    private func letGo(_ timeout: Duration, _ epoch: Int) async -> GroupRelease.Outcome {
        let task = freeing ?? Task { await freeAll(timeout, epoch) }
        freeing = task
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func freeAll(_ timeout: Duration, _ epoch: Int) async -> GroupRelease.Outcome {
        defer { freeing = nil }
        debts.forget(uncertainBefore: clock.now() + uncertainty * -1)
        let (known, own) = (debts.told, debts.named)
        let isBusy = ended?.isIdle == false
        // No step for so long: then it is not known whether there will ever be one.
        let stall: @Sendable () -> Void = { [report] in report(.stalled(epoch: epoch)) }
        let alarm = Alarm(isBusy ? uncertainty : settings.letGoPatience, clock, stall)
        defer { alarm.stop() }
        let release = release(timeout, alarm: alarm, isAway: stall)
        // At once, whatever the store and the calls under way are waiting for...
        var outcome = await release.run(known, own: own, while: keepsGuardBack())
        if let ended {
            // ... and again after those calls, for what they have brought about.
            await ended.drained()
            if self.ended === ended { self.ended = nil }
            alarm.putOff()
            if isBusy, outcome != .interrupted {
                outcome = await release.run(known, own: own, looksFirst: outcome == .free, while: keepsGuardBack())
            }
        }
        note(outcome)
        return outcome
    }

    /// What remains after an attempt to let everything go.
    private func note(_ outcome: GroupRelease.Outcome) {
        switch outcome {
        case .free where debts.uncertain.isEmpty:
            debts.settle()
            orphanGuard.forgetAll()
        case .free:
            debts.told = Set(debts.uncertain.keys)
            debts.held = []
        case .held(let groups):
            (debts.told, debts.held) = (groups.union(debts.uncertain.keys), groups)
            orphanGuard.forgetAll()
            for group in debts.told { orphanGuard.note(group) }
        case .unknown: orphanGuard.postpone(until: clock.now() + settings.reconcileInterval * 3)
        case .interrupted: break
        }
    }

    private func release(
        _ timeout: Duration,
        alarm: Alarm? = nil,
        isAway: @escaping @Sendable () -> Void = {}
    ) -> GroupRelease {
        GroupRelease(
            plugin: plugin,
            clock: clock,
            timeout: timeout,
            patience: settings.letGoPatience,
            logger: logger,
            isAway: isAway,
            gotOn: { alarm?.putOff() }
        )
    }

    /// As long as this process lets groups go, its guard need not: both would free the same ones.
    private func keepsGuardBack() -> @Sendable () -> Bool {
        let (orphanGuard, clock, grace) = (orphanGuard, clock, settings.guardGrace)
        return {
            orphanGuard.postpone(until: clock.now() + grace)
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
        guard term == nil, beginning == nil, freeing == nil, assumedEpoch <= endedEpoch, endedEpoch != .max,
            isLed || debts.isOpen
        else { return }
        let task = Task { await freeLeftovers() }
        freeing = task
        _ = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func freeLeftovers() async -> GroupRelease.Outcome {
        defer { freeing = nil }
        let now = clock.now()
        debts.forget(uncertainBefore: now + uncertainty * -1)
        orphanGuard.postpone(until: now + settings.reconcileInterval * 3)
        var reported: Set<Identifier>?
        do throws(GroupError) {
            guard case .groups(let groups) = try await plugin.call(.inspect, within: settings.freeTimeout) else {
                return .unknown
            }
            if groups.isEmpty { return settled(.free) }
            reported = Set(groups.map(\.id))
        } catch {
            guard error.code == .unreadable else { return .unknown }
        }
        guard let states = try? await store.states(at: nil, within: settings.storeTimeout), !Task.isCancelled else {
            return .unknown
        }
        let own = debts.told.union(debts.named).union(states.map(\.group))
        // What cannot be read is let go by name.
        let leftovers = reported?.intersection(own) ?? own
        if leftovers.isEmpty { return settled(.free) }
        if leftovers != debts.held {
            logger.warning(
                "the plugin holds groups while this replica does not lead; letting them go",
                metadata: ["groups": "\(leftovers.sorted().joined(separator: ","))"]
            )
        }
        debts.isOpen = true
        return settled(await release(settings.freeTimeout).run(leftovers, own: own, while: keepsGuardBack()))
    }

    /// - Returns: the same.
    private func settled(_ outcome: GroupRelease.Outcome) -> GroupRelease.Outcome {
        note(outcome)
        // Nothing is left that a guard would have to do.
        if !debts.isOpen { report(.freed(epoch: endedEpoch)) }
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
