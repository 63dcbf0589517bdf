internal import GroupSPI
internal import Store

/// What the plugin is told in a term.
extension LeaderTerm {
    /// One call to the plugin. It does not start when the lease is over, and ends with it.
    ///
    /// - Parameter limit: how long it may take at most; nil for as long as any call.
    func callPlugin(_ request: GroupRequest, within limit: Duration? = nil) async -> Result<GroupReply, GroupError> {
        typealias Answer = Result<GroupReply, GroupError>
        let releases = dependencies.releases
        let limit = min(limit ?? settings.rpcTimeout, settings.rpcTimeout)
        let answer = await calls.run(outliving: request.isStored) {
            [lease, dependencies] () async -> Answer? in
            // Before the plugin knows the group, whoever lets it go does.
            if let group = request.startedGroup {
                releases.told(group)
                dependencies.orphanGuard.note(group)
            }
            // Here, where nothing comes before the call any more: the process may have stood still on the way.
            guard lease.isValid else { return nil }
            do throws(GroupError) {
                return .success(try await dependencies.plugin.call(request, within: limit))
            } catch {
                return .failure(error)
            }
        }
        guard let answer = answer ?? nil else { return .failure(WriteLifecycle.termEnded) }
        if let group = request.startedGroup { releases.answered(group, isKnown: answer.isKnown, clock.now()) }
        if let group = request.endedGroup(by: answer) {
            dependencies.orphanGuard.forget(group)
            releases.ended(group)
        }
        // One that was cancelled with the lease says nothing of the plugin.
        guard lease.isValid else { return answer }
        if case .failure(let error) = answer, error.code == .unknownOutcome || error.code == .unreadable {
            groups.noteUnanswered(request)
        }
        if case .failure(let error) = answer, error.code == .unreachable || error.code == .notRunning {
            dependencies.pluginHealth.note(error.message)
        } else {
            dependencies.pluginHealth.note(nil)
        }
        return answer
    }

    /// Tells the plugin what a user asked for.
    func forward(_ request: GroupRequest, before: GroupState?) async -> Result<GroupReply, GroupError> {
        let answer = await callPlugin(request)
        guard case .failure(let error) = answer else { return answer }
        switch (request, before?.change.action) {
        case (.update(let spec), .set) where error.saysNotWatched:
            // It restarted and has not been told yet. Telling it the new spec is all that is needed.
            return await callPlugin(.commit(spec, pretend: false)).map { _ in .ok }
        case (.watch(let spec), nil), (.watch(let spec), .free), (.watch(let spec), .destroy):
            // Nobody declared this group, yet the plugin has it: a leftover, which the user now declares.
            guard error.saysAlreadyWatched else { return answer }
            return await callPlugin(.commit(spec, pretend: false)).map { _ in .ok }
        case (.free, .set) where error.saysNotWatched:
            return .success(.ok)
        case (.destroy(let id), .set(let properties, _)) where error.saysNotWatched:
            return await destroy(id, knowing: GroupSpec(id: id, properties: properties))
        default:
            return answer
        }
    }

    /// Tells the plugin what has become due.
    func tell(_ task: Reconciler.Task) async -> Result<GroupReply, GroupError> {
        switch task.goal {
        case .watched(let spec): return await callPlugin(.commit(spec, pretend: false))
        case .freed:
            let freed = await callPlugin(.free(id: task.group))
            if case .failure(let error) = freed, error.saysNotWatched { return .success(.ok) }
            return freed
        case .destroyed(let previous): return await destroy(task.group, knowing: previous)
        }
    }

    /// A plugin that restarted has to be told a group before it can end it.
    private func destroy(_ id: Identifier, knowing spec: GroupSpec?) async -> Result<GroupReply, GroupError> {
        let answer = await callPlugin(.destroy(id: id))
        guard case .failure(let error) = answer, error.saysNotWatched else { return answer }
        guard let spec else { return .success(.ok) }
        if case .failure(let error) = await callPlugin(.commit(spec, pretend: false)) { return .failure(error) }
        return await callPlugin(.destroy(id: id))
    }
}

extension GroupError {
    /// The plugin's own no, as opposed to no answer.
    var isRefusal: Bool {
        switch code {
        case .rejected: !saysUpdating
        case .unsupported, .badRequest: true
        default: false
        }
    }
}

extension Result<GroupReply, GroupError> {
    /// Whether it is known what the plugin has done, and that it will do nothing more.
    fileprivate var isKnown: Bool {
        guard case .failure(let error) = self else { return true }
        return error.code != .unknownOutcome && error.code != .unreadable
    }
}

extension GroupRequest {
    /// The group that the plugin watches from this call on.
    fileprivate var startedGroup: Identifier? {
        switch self {
        case .watch(let spec), .update(let spec), .commit(let spec, pretend: false): spec.id
        default: nil
        }
    }

    /// The group that the plugin has let go, as its answer to this call says.
    fileprivate func endedGroup(by answer: Result<GroupReply, GroupError>) -> Identifier? {
        switch (self, answer) {
        case (.free(let id), .success), (.unwatch(let id), .success), (.destroy(let id), .success): id
        case (.free(let id), .failure(let error)), (.unwatch(let id), .failure(let error)),
            (.destroy(let id), .failure(let error)):
            error.saysNotWatched ? id : nil
        default: nil
        }
    }
}
