import Glibc
internal import GroupSPI
internal import Logging
internal import Platform

/// Starting, stopping and noticing the end of processes.
extension GroupSupervisor {
    /// Starts a new instance.
    func launch(_ spec: ProcessGroupSpec, logicalID: Identifier?, _ now: ContinuousClock.Instant) {
        let name: Identifier = "instance-\(UInt64.random(in: 1...UInt64(Int64.max)))"
        let record = InstanceRecord(id: name, group: id, logicalID: logicalID, configSHA: spec.configSHA)
        instances[name] = ManagedInstance(record: record, state: .waiting(until: now), backoff: options.backoff)
        start(name, spec, now)
    }

    /// Starts the process of an instance that has none.
    private func start(_ name: Identifier, _ spec: ProcessGroupSpec, _ now: ContinuousClock.Instant) {
        guard var instance = instances[name] else { return }
        let reason: String
        do {
            let program = try host.program(of: spec)
            try directory.prepareLog(group: id, instance: name)
            // Noted before the start: if the plugin ends between start and note, the process can still be found.
            instance.record.process = nil
            try directory.save(instance.record)
            let log = try directory.openLog(group: id, instance: name)
            defer { close(log) }
            let pid = try ProcessSpawner(
                program: program,
                arguments: spec.command,
                environment: environment(of: instance.record, spec),
                directory: spec.directory,
                log: log
            ).start()
            // A child keeps its number and its entry until it is collected, so this finds it even if it has ended.
            let identity =
                ProcessTable.identity(pid)
                ?? ProcessInstance(pid: pid, startTime: 0, bootID: ProcessTable.bootID)
            instance.record.process = identity
            instance.state = .running(RunningProcess(identity: identity, isChild: true), since: now)
            instances[name] = instance
            logger.info("started a process", metadata: metadata(instance.record))
            save(instance.record)
            return
        } catch let problem as SpecProblem {
            reason = problem.sentence
        } catch {
            reason = "\(error)"
        }
        died(name, .notStarted(reason), afterLife: .zero, remains: nil, now)
    }

    private func environment(of record: InstanceRecord, _ spec: ProcessGroupSpec) -> [Identifier: String] {
        var result = host.variables.merging(spec.environment) { _, given in given }
        result["INFRAKIT_GROUP"] = id.text
        result["INFRAKIT_INSTANCE"] = record.id.text
        if let logicalID = record.logicalID { result["INFRAKIT_LOGICAL_ID"] = logicalID.text }
        return result
    }

    /// Asks an instance to end for good.
    func stop(_ name: Identifier, _ now: ContinuousClock.Instant) {
        guard var instance = instances[name] else { return }
        switch instance.state {
        case .waiting:
            forget(name)
        case .stopping(var stop):
            stop.restartDelay = nil
            instance.state = .stopping(stop)
            instances[name] = instance
        case .running(let process, _):
            instance.record.isDoomed = true
            save(instance.record)
            // One that has just ended may have given its number to somebody else.
            let end = process.end()
            if end == nil || process.hasLivingGroup { process.signalGroup(SIGTERM) }
            instance.state = .stopping(
                .init(
                    process: process,
                    killAt: now + options.stopGrace,
                    hasLeaderEnded: end != nil,
                    restartDelay: nil
                )
            )
            instances[name] = instance
            logger.info("stopping a process", metadata: metadata(instance.record))
        }
    }

    /// Looks at every process and moves its instance on.
    func observe(_ now: ContinuousClock.Instant) {
        for name in instances.keys.sorted() {
            switch instances[name]?.state {
            case .running(let process, let since):
                if let end = process.end() { died(name, end, afterLife: now - since, remains: process, now) }
            case .stopping(var stop):
                if !stop.hasLeaderEnded && stop.process.end() != nil { stop.hasLeaderEnded = true }
                if stop.hasLeaderEnded && !stop.process.hasLivingGroup {
                    ended(name, stop, now)
                } else if stop.isHopeless(now) {
                    logger.error(
                        "left processes behind that cannot be ended",
                        metadata: ["process.group": "\(stop.process.identity.pid)"]
                    )
                    ended(name, stop, now)
                } else {
                    if now >= stop.killAt {
                        stop.process.signalGroup(SIGKILL)
                        stop.killedAt = stop.killedAt ?? now
                    }
                    instances[name]?.state = .stopping(stop)
                }
            case .waiting(let until):
                guard let watch, let instance = instances[name] else { continue }
                let record = instance.record
                let fits = watch.plan.fits(logicalID: record.logicalID, configSHA: record.configSHA)
                if now >= until && fits { start(name, watch.spec, now) }
            case nil:
                break
            }
        }
    }

    /// An instance ended although nobody asked it to, or could not be started.
    ///
    /// - Parameter remains: the process, others of whose group may still run; they hold ports and files that a new
    ///   start needs, so they go first.
    private func died(
        _ name: Identifier,
        _ end: ProcessEnd,
        afterLife life: Duration,
        remains process: RunningProcess?,
        _ now: ContinuousClock.Instant
    ) {
        guard var instance = instances[name] else { return }
        let delay = instance.backoff.delay(afterLife: life)
        var metadata = metadata(instance.record)
        metadata["process.end"] = "\(end)"
        metadata["restart.delay"] = "\(delay)"
        guard let watch else {
            logger.info("a process of a group that is not watched has ended", metadata: metadata)
            forget(name)
            return
        }
        logger.warning("a process has ended and will be restarted", metadata: metadata)
        if let process, process.hasLivingGroup {
            process.signalGroup(SIGTERM)
            instance.state = .stopping(
                .init(process: process, killAt: now + options.stopGrace, hasLeaderEnded: true, restartDelay: delay)
            )
        } else {
            instance.state = .waiting(until: now + delay)
        }
        instances[name] = instance

        let fits = watch.plan.fits(logicalID: instance.record.logicalID, configSHA: instance.record.configSHA)
        if fits && watch.isUpdating && !waiters.isEmpty && instance.backoff.earlyDeaths >= options.updateAttempts {
            failUpdate(instance.record, end, attempts: instance.backoff.earlyDeaths)
        }
    }

    /// Gives up an update whose new version does not live, while most of the old one still does.
    private func failUpdate(_ record: InstanceRecord, _ end: ProcessEnd, attempts: Int) {
        watch?.plan.halt()
        watch?.isUpdating = false
        let log = directory.logPath(group: id, instance: record.id)
        let message =
            "Update of group '\(id)' halted: the new process \(end), \(attempts) times in a row; its output is in \(log)"
        logger.error("halted an update", metadata: metadata(record).merging(["process.end": "\(end)"]) { $1 })
        answerWaiters(.failure(GroupError(.rejected, message)))
    }

    /// A stopping instance and all of its process group are gone.
    private func ended(_ name: Identifier, _ stop: ManagedInstance.Stop, _ now: ContinuousClock.Instant) {
        guard let delay = stop.restartDelay, watch != nil else {
            if let record = instances[name]?.record {
                logger.info("a process has ended", metadata: metadata(record))
            }
            forget(name)
            return
        }
        instances[name]?.state = .waiting(until: now + delay)
    }

    func forget(_ name: Identifier) {
        guard let instance = instances.removeValue(forKey: name) else { return }
        directory.remove(instance.record)
    }

    /// Failing to note a process is no reason to end it: it runs, and only a restart of the plugin would miss it.
    private func save(_ record: InstanceRecord) {
        do throws(SystemError) {
            try directory.save(record)
        } catch {
            logger.error(
                "could not save an instance record",
                metadata: ["error": "\(error)", "instance.id": "\(record.id)"]
            )
        }
    }

    private func metadata(_ record: InstanceRecord) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["instance.id": "\(record.id)"]
        if let logicalID = record.logicalID { metadata["instance.logical-id"] = "\(logicalID)" }
        if let pid = record.process?.pid { metadata["process.pid"] = "\(pid)" }
        return metadata
    }
}
