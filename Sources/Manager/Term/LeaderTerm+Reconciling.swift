internal import GroupSPI
internal import Logging
internal import Store

/// Brings the plugin to what the history says.
extension LeaderTerm {
    /// Tells the plugin what is due.
    func reconcile() async {
        await withDiscardingTaskGroup { tasks in
            while goesOn {
                for task in groups.reconciler.takeDue(now: clock.now(), limit: settings.concurrency - running) {
                    running += 1
                    tellingPace.began(clock.now())
                    tasks.addTask { await self.carryOut(task) }
                }
                let due = running < settings.concurrency ? groups.reconciler.nextDue : nil
                await reconcileTimer.sleep(until: due ?? clock.now() + settings.reconcileInterval)
            }
        }
    }

    /// Brings one group to its goal, unless a user's write has overtaken it.
    private func carryOut(_ task: Reconciler.Task) async {
        var isDone = false
        await lanes.hold([task.group]) {
            guard lease.isValid, groups.reconciler.task(for: task.group) == task else { return }
            guard task.isPending, let change = groups.states[task.group]?.change else {
                let answer = await tell(task)
                isDone = answer.isSuccess
                return finish(task, answer)
            }
            guard !hasAgreed(to: task) else {
                if await !recordWaiting() {
                    groups.reconciler.finished(task.group, revision: task.revision, .noAnswer, now: clock.now())
                }
                return
            }
            var lifecycle = WriteLifecycle(
                pending: task.revision,
                isRefusable: task.isRefusable,
                isStopped: groups.stopped.remove(task.group) != nil
            )
            let answer = await complete(&lifecycle, change, .stored(revision: task.revision)) {
                await self.tell(task)
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
        running -= 1
        if let each = tellingPace.ended(clock.now(), counts: isDone) {
            dependencies.pace.noteTelling(each)
            dependencies.noteReleaseTime()
        }
        reconcileTimer.wake()
    }

    /// Notes how a task has gone that settles nothing.
    private func finish(_ task: Reconciler.Task, _ answer: Result<GroupReply, GroupError>) {
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
            groups.reconciler.finished(task.group, revision: task.revision, .done, now: clock.now())
        case .failure(let error):
            // It stood before, and stands still: a plugin that cannot do it now may later. The others go on. That the lease is over
            // is no trouble of the group's.
            if lease.isValid {
                logger.warning("group not watched", metadata: ["group": "\(task.group)", "error": "\(error)"])
            }
            let result: Reconciler.Result = error.isRefusal ? .refused : .noAnswer
            groups.reconciler.finished(task.group, revision: task.revision, result, now: clock.now())
        }
    }

    /// Asks the plugin what it watches, again and again: at once, as it may still watch what ended while another led. What it has
    /// forgotten is told again.
    func compareWithPlugin() async {
        await every(settings.reconcileInterval) {
            let askedAt = clock.now()
            guard case .success(.groups(let reported)) = await callPlugin(.inspect), lease.isValid else { return }
            // What it holds of a call that came late is not what stands: as good as forgotten.
            let overtaken = groups.overtaken(in: reported)
            if !overtaken.isEmpty {
                let names = overtaken.sorted().joined(separator: ",")
                logger.warning("group overtaken by a late call", metadata: ["groups": "\(names)"])
            }
            let held = Set(reported.map(\.id)).subtracting(overtaken)
            let leftovers = groups.reconciler.pluginReports(held, askedAt: askedAt, now: clock.now())
            for group in leftovers { dependencies.releases.told(group) }
            wakeIfDue()
            dependencies.noteReleaseTime()
        }
    }
}

extension Result {
    fileprivate var isSuccess: Bool {
        if case .success = self { true } else { false }
    }
}
