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
                for task in reconciler.takeDue(now: now, limit: settings.concurrency - running) {
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
                    nextTidying = now + settings.tidyInterval
                    if !isTidying {
                        isTidying = true
                        tasks.addTask { await self.tidy(token) }
                    }
                }
                let due = running < settings.concurrency ? reconciler.nextDue : nil
                let next = [nextReport, nextLook, due, requestLooks.due].compactMap(\.self).min()
                await sleep(until: next ?? nextReport, token)
            }
            tasks.cancelAll()
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
            guard self.token === token, reconciler.task(for: task.group) == task else { return }
            let answer: Result<GroupReply, GroupError>
            switch task.goal {
            case .watched(let spec): answer = await callPlugin(.commit(spec, pretend: false), token)
            case .freed:
                let freed = await callPlugin(.free(id: task.group), token)
                if case .failure(let error) = freed, error.saysNotWatched {
                    answer = .success(.ok)
                } else {
                    answer = freed
                }
            case .destroyed(let previous): answer = await destroy(task.group, knowing: previous, token)
            }
            await finish(task, answer, token)
        }
        running = max(0, running - 1)
        wake()
    }

    private func finish(_ task: Reconciler.Task, _ answer: Result<GroupReply, GroupError>, _ token: TermToken) async {
        let isRefused = if case .failure(let error) = answer { Self.isRefusal(error) } else { false }
        if task.isPending, task.isRefusable || !isRefused {
            if case .failure(let error) = answer, isRefused { return await reject(task, error, token) }
            await settle(task.group, task.revision, answer, before: nil, isOutcomeFirst: true, token)
            return
        }
        guard self.token === token else { return }
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
            reconciler.finished(task.group, revision: task.revision, .done, now: clock.now())
        case .failure(let error):
            // It stood before, or was acknowledged, and stands still: a plugin that cannot do it now may later. The others
            // go on.
            logger.warning("group not watched", metadata: ["group": "\(task.group)", "error": "\(error)"])
            let result: Reconciler.Result = isRefused ? .refused : .noAnswer
            reconciler.finished(task.group, revision: task.revision, result, now: clock.now())
        }
    }

    /// The plugin has refused a change that an earlier write, perhaps of an earlier leader, had left pending: what stood
    /// before stands again.
    private func reject(_ task: Reconciler.Task, _ error: GroupError, _ token: TermToken) async {
        do throws(StoreError) {
            // Read first: were it stored and then not read, the plugin would be asked again about what is rejected.
            let before = try await store.state(
                of: task.group,
                before: task.revision,
                within: settings.storeTimeout
            )
            let outcome = Outcome(revision: task.revision, group: task.group, status: .rejected, error: error.message)
            try await store.recordOutcomes(
                [outcome],
                fence: fence(token.epoch),
                lingering: .zero,
                within: settings.storeTimeout
            )
            guard self.token === token else { return }
            logger.warning(
                "pending change refused",
                metadata: ["revision.number": "\(task.revision)", "group": "\(task.group)", "error": "\(error)"]
            )
            states[task.group] = before
            reconciler.restore(before, of: task.group, isKnown: false, now: clock.now())
        } catch {
            // What stood before is not known, which is not the same as nothing. The plugin is asked again later.
            logger.warning(
                "outcome not stored",
                metadata: ["revision.number": "\(task.revision)", "error": "\(error)"]
            )
            if error.code != .busy { report(.storeUncertain(epoch: token.epoch, error.message)) }
            guard self.token === token else { return }
            reconciler.finished(task.group, revision: task.revision, .refused, now: clock.now())
        }
    }

    /// Asks the plugin what it watches. What it has forgotten is told again.
    private func compareWithPlugin(_ token: TermToken) async {
        defer { isComparing = false }
        let askedAt = clock.now()
        guard case .success(.groups(let groups)) = await callPlugin(.inspect, token), self.token === token else {
            return
        }
        reconciler.pluginReports(Set(groups.map(\.id)), askedAt: askedAt, now: clock.now())
        wake()
    }
}
