internal import GroupSPI
internal import Logging
internal import Store

extension GroupKeeper {
    /// The work of a term beside users' writes: what is due, what the plugin has forgotten, what commands ask.
    func keepGoing(_ token: TermToken) async {
        await withDiscardingTaskGroup { tasks in
            // Now already: the plugin may still watch what ended while another led.
            var nextReport = clock.now()
            var nextLook = clock.now()
            var nextTidying = clock.now()
            requestLooks = RequestLooks(every: settings.pollInterval, from: clock.now())
            requestWatch = RequestWatch(from: clock.now())
            requestMarks = []
            while !token.isEnded {
                let now = clock.now()
                for task in term?.reconciler.takeDue(now: now, limit: settings.concurrency - running) ?? [] {
                    running += 1
                    tasks.addTask { await self.carryOut(task, token) }
                }
                if now >= nextReport {
                    nextReport = now + settings.reconcileInterval
                    if !isComparing {
                        isComparing = true
                        tasks.addTask { await self.compareWithPlugin(token) }
                    }
                }
                if now >= nextLook {
                    nextLook = now + settings.pollInterval
                    tasks.addTask { await self.revertUnconfirmed(token) }
                    startRecording(token)
                }
                if requestLooks.begin(now) { tasks.addTask { await self.takeUpRequests(token) } }
                if now >= nextTidying {
                    nextTidying = now + settings.tidyPause
                    if !isTidying {
                        isTidying = true
                        tasks.addTask { await self.tidy(token) }
                    }
                }
                let due = running < settings.concurrency ? term?.reconciler.nextDue : nil
                let next = [nextReport, nextLook, due, requestLooks.due].compactMap(\.self).min()
                await sleep(until: next ?? nextReport, token)
            }
            // Calls that outlive the term are waited for, and all else ends by itself.
            if !token.isPatient { tasks.cancelAll() }
        }
        running = 0
    }

    private func sleep(until instant: BootInstant, _ token: TermToken) async {
        guard !token.isEnded else { return }
        // A task of its own, so that `wake` can end it.
        let sleeper = Task { [clock] in _ = try? await clock.sleep(until: instant) }
        (self.sleeper, sleepsUntil) = (sleeper, instant)
        await sleeper.value
        sleepsUntil = nil
    }

    /// Brings one group to its goal, unless a user's write has overtaken it.
    private func carryOut(_ task: Reconciler.Task, _ token: TermToken) async {
        await lanes.hold([task.group]) {
            guard isCurrent(token), term?.reconciler.task(for: task.group) == task else { return }
            guard task.isPending, let change = term?.states[task.group]?.change else {
                return finish(task, await tell(task, token), token)
            }
            guard !hasAgreed(to: task) else {
                if await !recordWaiting(token), isCurrent(token) {
                    term?.reconciler.finished(task.group, revision: task.revision, .noAnswer, now: clock.now())
                }
                return
            }
            var lifecycle = WriteLifecycle(
                pending: task.revision,
                isRefusable: task.isRefusable,
                isStopped: term?.stopped.remove(task.group) != nil
            )
            let answer = await complete(&lifecycle, change, .stored(revision: task.revision), token) {
                await self.tell(task, token)
            }
            switch answer {
            case .refused(let error):
                logger.warning(
                    "pending change refused",
                    metadata: [
                        "revision.number": "\(task.revision)", "group": "\(task.group)", "error": "\(error)",
                    ]
                )
            case .pending(_, .mayBeAcknowledged(let error)):
                logger.warning("group not watched", metadata: ["group": "\(task.group)", "error": "\(error)"])
            default: break
            }
        }
        running = max(0, running - 1)
        wake()
    }

    private func tell(_ task: Reconciler.Task, _ token: TermToken) async -> Result<GroupReply, GroupError> {
        switch task.goal {
        case .watched(let spec): return await callPlugin(.commit(spec, pretend: false), token)
        case .freed:
            let freed = await callPlugin(.free(id: task.group), token)
            if case .failure(let error) = freed, error.saysNotWatched { return .success(.ok) }
            return freed
        case .destroyed(let previous): return await destroy(task.group, knowing: previous, token)
        }
    }

    /// Notes how a task has gone that settles nothing.
    private func finish(_ task: Reconciler.Task, _ answer: Result<GroupReply, GroupError>, _ token: TermToken) {
        guard isCurrent(token) else { return }
        switch answer {
        case .success:
            if case .watched = task.goal {
                logger.info(
                    "group watched",
                    metadata: ["group": "\(task.group)", "revision.number": "\(task.revision)"]
                )
            } else {
                logger.info("group freed", metadata: ["group": "\(task.group)"])
            }
            term?.reconciler.finished(task.group, revision: task.revision, .done, now: clock.now())
        case .failure(let error):
            // It stood before, and stands still: a plugin that cannot do it now may later. The others go on.
            logger.warning("group not watched", metadata: ["group": "\(task.group)", "error": "\(error)"])
            let result: Reconciler.Result = Self.isRefusal(error) ? .refused : .noAnswer
            term?.reconciler.finished(task.group, revision: task.revision, result, now: clock.now())
        }
    }

    /// Asks the plugin what it watches. What it has forgotten is told again.
    private func compareWithPlugin(_ token: TermToken) async {
        defer { isComparing = false }
        let askedAt = clock.now()
        guard case .success(.groups(let groups)) = await callPlugin(.inspect, token), isCurrent(token) else {
            return
        }
        // What it holds of a call that came late is not what stands: as good as forgotten.
        let overtaken = term?.overtaken(in: groups) ?? []
        if !overtaken.isEmpty {
            let groups = overtaken.sorted().joined(separator: ",")
            logger.warning("group overtaken by a late call", metadata: ["groups": "\(groups)"])
        }
        let held = Set(groups.map(\.id)).subtracting(overtaken)
        term?.reconciler.pluginReports(held, askedAt: askedAt, now: clock.now())
        wake()
    }
}
