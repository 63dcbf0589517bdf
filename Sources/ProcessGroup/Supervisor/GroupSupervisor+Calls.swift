internal import GroupSPI
internal import Logging

/// The calls of the Group interface, for one group.
extension GroupSupervisor {
    func watch(_ spec: ProcessGroupSpec) async throws(GroupError) {
        let deadline = ContinuousClock.now + options.takeoverPatience
        repeat {
            try checkRunning()
            guard watch == nil else { throw .alreadyWatched(id) }
            try host.check(spec)
            if try takeCharge() { return begin(spec) }
        } while await mayTryAgain(until: deadline)
        throw inAnotherPluginsCharge
    }

    /// Answers when the roll has ended.
    ///
    /// - Throws: ``GroupError`` `rejected` when it was halted, superseded or given up.
    func update(_ spec: ProcessGroupSpec) async throws(GroupError) {
        try checkRunning()
        guard let current = watch else { throw .notWatched(id) }
        try host.check(spec)
        let summary = summary(of: spec, current)
        change(to: spec, summary)
        guard !summary.isNoop, watch?.isUpdating == true else { return }

        let token = nextWaiter
        nextWaiter += 1
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { waiters[token] = $0 }
        } onCancel: {
            // The handler cannot enter the actor by itself. The roll goes on; only the wait for it ends.
            Task { await self.abandon(token) }
        }
        try result.get()
    }

    private func abandon(_ token: Int) {
        waiters.removeValue(forKey: token)?.resume(
            returning: .failure(GroupError(.unknownOutcome, "The update of group '\(id)' continues in the background"))
        )
    }

    func describeUpdate(_ spec: ProcessGroupSpec) throws(GroupError) -> String {
        try checkRunning()
        guard let current = watch else { throw .notWatched(id) }
        try host.check(spec)
        return summary(of: spec, current).plan
    }

    /// Watches or updates the group, and answers before a roll has ended.
    func commit(_ spec: ProcessGroupSpec, pretend: Bool) async throws(GroupError) -> String {
        let deadline = ContinuousClock.now + options.takeoverPatience
        repeat {
            try checkRunning()
            try host.check(spec)
            if let current = watch {
                let summary = summary(of: spec, current)
                if !pretend { change(to: spec, summary) }
                return summary.details
            }
            if pretend { return PlanSummary.managing(spec.allocation) }
            if try takeCharge() {
                begin(spec)
                return PlanSummary.managing(spec.allocation)
            }
        } while await mayTryAgain(until: deadline)
        throw inAnotherPluginsCharge
    }

    func stopUpdate() throws(GroupError) {
        try checkRunning()
        guard let current = watch else { throw .notWatched(id) }
        guard current.isUpdating else { throw GroupError(.rejected, "Group '\(id)' is not being updated") }
        watch?.plan.halt()
        watch?.isUpdating = false
        logger.info("halted an update by request")
        answerWaiters(.failure(GroupError(.rejected, "Update halted by user")))
        step()
        wake()
    }

    /// Ends the supervision; what runs goes on running, and what was told to end still ends. Then another plugin may
    /// watch the group.
    func release() throws(GroupError) {
        try checkRunning()
        guard watch != nil else { throw .notWatched(id) }
        watch = nil
        logger.info("freed the group", metadata: ["instances.count": "\(instances.count)"])
        answerWaiters(.failure(GroupError(.rejected, "Update halted: group '\(id)' is no longer watched")))
        for (name, instance) in instances {
            if case .waiting = instance.state { forget(name) }
        }
        step()
        wake()
    }

    func destroy() throws(GroupError) {
        try checkRunning()
        guard watch != nil else { throw .notWatched(id) }
        watch = nil
        logger.info("destroying the group", metadata: ["instances.count": "\(instances.count)"])
        answerWaiters(.failure(GroupError(.rejected, "Update halted: group '\(id)' was destroyed")))
        removesLogs = true
        let now = ContinuousClock.now
        for name in instances.keys.sorted() { stop(name, now) }
        step()
        wake()
    }

    func describe() throws(GroupError) -> GroupDescription {
        try checkRunning()
        // What has ended since the last look must not be shown as running.
        step()
        guard let watch else { throw .notWatched(id) }
        let present = instances.values.filter(\.hasProcess).sorted { $0.record.id < $1.record.id }
        let descriptions = present.map { instance in
            InstanceDescription(
                id: instance.record.id,
                logicalID: instance.record.logicalID,
                tags: ["infrakit.group": id.text, "infrakit.config_sha": instance.record.configSHA]
            )
        }
        return GroupDescription(descriptions, isConverged: watch.plan.isConverged(members(.now)))
    }

    func size() throws(GroupError) -> Int {
        try checkRunning()
        guard let watch else { throw .notWatched(id) }
        return watch.spec.allocation.count
    }

    func setSize(_ size: Int) throws(GroupError) {
        try checkRunning()
        guard let current = watch else { throw .notWatched(id) }
        guard case .size = current.spec.allocation else {
            throw GroupError(
                .rejected,
                "Group '\(id)' is sized by its LogicalIDs; commit a spec with another list to change its size"
            )
        }
        let spec = try ProcessGroupSpec(current.spec.declared.settingSize(size))
        try host.check(spec)
        change(to: spec, summary(of: spec, current))
    }

    /// Ends these instances; others take their places, since the specification still asks for as many.
    func destroyInstances(_ names: [Identifier]) throws(GroupError) {
        try checkRunning()
        guard watch != nil else { throw .notWatched(id) }
        let unknown = names.filter { instances[$0] == nil }
        guard unknown.isEmpty else {
            throw GroupError(
                .rejected,
                "Group '\(id)' has no instance \(unknown.map { "'\($0)'" }.joined(separator: ", ")); none was destroyed"
            )
        }
        let now = ContinuousClock.now
        for name in names { stop(name, now) }
        step()
        wake()
    }

    // MARK: - Parts

    private func checkRunning() throws(GroupError) {
        if isStopped { throw GroupError(.unreachable, "The plugin is stopping") }
    }

    private func begin(_ spec: ProcessGroupSpec) {
        let plan = GroupPlan(first: spec.allocation, configSHA: spec.configSHA)
        let adopted = members(.now).live
        // Found processes of another version make this a roll, which a user may want to stop like any other.
        watch = Watch(spec: spec, plan: plan, isUpdating: !adopted.allSatisfy(plan.fits))
        removesLogs = false
        logger.info("watching the group", metadata: ["instances.adopted": "\(adopted.count)"])
        step()
        wake()
    }

    private func change(to spec: ProcessGroupSpec, _ summary: PlanSummary) {
        guard let current = watch else { return }
        answerWaiters(.failure(GroupError(.rejected, "Update halted: a newer specification replaces it")))
        watch = Watch(spec: spec, plan: next(spec, current), isUpdating: !summary.isNoop)
        logger.info("changing the group", metadata: ["plan": "\(summary.details)"])
        step()
        wake()
    }

    private func summary(of spec: ProcessGroupSpec, _ current: Watch) -> PlanSummary {
        PlanSummary(next: next(spec, current), current: current.plan, members: members(.now))
    }

    private func next(_ spec: ProcessGroupSpec, _ current: Watch) -> GroupPlan {
        GroupPlan(wanted: spec.allocation, configSHA: spec.configSHA, after: current.plan, members: members(.now))
    }
}
