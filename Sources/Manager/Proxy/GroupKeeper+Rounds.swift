internal import GroupSPI
internal import Logging
internal import Store

extension GroupKeeper {
    /// The work of a term beside users' writes: what is due, what the plugin has forgotten, what commands ask.
    func keepGoing(_ token: TermToken) async {
        await withDiscardingTaskGroup { tasks in
            var nextReport = clock.now() + settings.reconcileInterval
            var nextLook = clock.now()
            while !token.isEnded {
                let now = clock.now()
                for task in reconciler.takeDue(now: now, limit: settings.concurrency - running) {
                    running += 1
                    tasks.addTask { await self.carryOut(task, token) }
                }
                if now >= nextReport {
                    nextReport = now + settings.reconcileInterval
                    tasks.addTask { await self.compareWithPlugin(token) }
                }
                if now >= nextLook {
                    nextLook = now + settings.pollInterval
                    tasks.addTask { await self.takeUpRequests(token) }
                }
                let due = running < settings.concurrency ? reconciler.nextDue : nil
                await sleep(until: min(nextReport, nextLook, due ?? nextReport), token)
            }
            tasks.cancelAll()
        }
        running = 0
    }

    private func sleep(until instant: BootInstant, _ token: TermToken) async {
        guard !token.isEnded else { return }
        // A task of its own, so that `wake` can end it.
        let sleeper = Task { [clock] in _ = try? await clock.sleep(until: instant) }
        self.sleeper = sleeper
        await sleeper.value
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
                if case .failure(let error) = freed, error.saysNotWatched { answer = .success(.ok) } else { answer = freed }
            case .destroyed(let previous): answer = await destroy(task.group, knowing: previous, token)
            }
            await finish(task, answer, token)
        }
        running = max(0, running - 1)
        wake()
    }

    private func finish(_ task: Reconciler.Task, _ answer: Result<GroupReply, GroupError>, _ token: TermToken) async {
        if task.isPending {
            var before: GroupState?
            if case .failure(let error) = answer, Self.isRefusal(error) {
                await record(
                    Outcome(revision: task.revision, group: task.group, status: .rejected, error: error.message),
                    token
                )
                before = try? await store.state(of: task.group, within: settings.storeTimeout)
            }
            return await settle(task.group, task.revision, answer, before: before, token)
        }
        guard self.token === token else { return }
        switch answer {
        case .success:
            logger.info("group watched", metadata: ["group": "\(task.group)", "revision.number": "\(task.revision)"])
            reconciler.finished(task.group, revision: task.revision, .done, now: clock.now())
        case .failure(let error):
            // It stood before and stands still: a plugin that cannot do it now may later. The others go on.
            logger.warning("group not watched", metadata: ["group": "\(task.group)", "error": "\(error)"])
            let result: Reconciler.Result = Self.isRefusal(error) ? .refused : .noAnswer
            reconciler.finished(task.group, revision: task.revision, result, now: clock.now())
        }
    }

    /// Asks the plugin what it watches. What it has forgotten is told again.
    private func compareWithPlugin(_ token: TermToken) async {
        let askedAt = clock.now()
        guard case .success(.groups(let groups)) = await callPlugin(.inspect, token), self.token === token else { return }
        reconciler.pluginReports(Set(groups.map(\.id)), askedAt: askedAt, now: clock.now())
        wake()
    }
}
