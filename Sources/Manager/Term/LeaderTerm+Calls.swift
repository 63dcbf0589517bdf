internal import GroupSPI
internal import Store

extension LeaderTerm {
    /// Carries out a call that changes something, as the leader.
    ///
    /// - Parameter trigger: settled together with the revision that the call makes, if it makes one.
    /// - Throws: ``GroupError``, see ``write(_:_:from:resolving:_:)``.
    func carryOut(
        _ call: GroupRequest,
        from caller: Caller,
        resolving trigger: RevisionTrigger? = nil
    ) async throws(GroupError) -> GroupReply {
        switch call {
        case .watch(let spec): try await set(.watch, spec, call, caller, trigger)
        case .update(let spec): try await set(.update, spec, call, caller, trigger)
        case .commit(let spec, pretend: false): try await set(.commit, spec, call, caller, trigger)
        case .unwatch(let id), .free(let id):
            try await write(.free, id, from: caller, resolving: trigger) { _ in
                Intent(action: .free, request: .free(id: id))
            }
        case .destroy(let id): try await destroyKnown(id, call, from: caller, resolving: trigger)
        case .setSize(let id, let size): try await resize(id, to: size, from: caller, resolving: trigger)
        // An update that is under way holds the group's lane: what stops it must not wait for it.
        case .stopUpdate(let id): try await stopUpdate(id)
        case .destroyInstances(let id, let instances):
            try await destroyInstances(id, instances, call, from: caller)
        case .inspect, .describe, .describeUpdate, .size, .commit:
            try await ask(call)
        }
    }

    private func ask(_ call: GroupRequest) async throws(GroupError) -> GroupReply {
        try await requireValid()
        return try await callPlugin(call).get()
    }

    /// What nobody has declared, and the plugin does not hold, is mistyped: no revision says that it was destroyed.
    private func destroyKnown(
        _ id: Identifier,
        _ call: GroupRequest,
        from caller: Caller,
        resolving trigger: RevisionTrigger?
    ) async throws(GroupError) -> GroupReply {
        try await requireValid()
        let change = groups.states[id]?.change
        if change == nil || change?.action == .destroy && change?.status == .applied,
            case .success(.groups(let held)) = await callPlugin(.inspect),
            !held.contains(where: { $0.id == id })
        {
            throw .notWatched(id)
        }
        return try await write(.destroy, id, from: caller, resolving: trigger) { _ in
            Intent(action: .destroy, request: call)
        }
    }

    /// Some plugins lower the group's size by as many as they destroy, others start new ones. The history follows, for whoever
    /// asked: the next leader's plugin, or a rollback, would bring the destroyed ones back else.
    ///
    /// The lower size is stored before the plugin is told, as every other change is: a leader that ends between the two leaves it to
    /// the next one. Not where it is known that the plugin keeps the size.
    private func destroyInstances(
        _ group: Identifier,
        _ instances: [Identifier],
        _ call: GroupRequest,
        from caller: Caller
    ) async throws(GroupError) -> GroupReply {
        try await requireValid()
        let count = Set(instances).count
        let some = instances.prefix(4).joined(separator: ", ")
        let message = "destroyed \(some)\(instances.count > 4 ? " and \(instances.count - 4) more" : "")"
        guard let declared = groups.states[group]?.spec?.spec.size, count > 0, declared >= count,
            !dependencies.pluginHealth.keepsSize
        else {
            let reply = try await ask(call)
            try await followSize(of: group, from: caller, message)
            return reply
        }
        var isDone = false
        do throws(GroupError) {
            _ = try await write(.commit, group, from: caller, message: message) {
                [settings] before throws(GroupError) in
                guard let spec = before?.spec?.spec, let size = spec.size else { throw .notWatched(group) }
                let smaller = try spec.settingSize(max(0, size - count))
                return Intent(action: .set(smaller.properties, plugin: settings.pluginName), request: call)
            } tell: { intent, before in
                let answer = await self.callPlugin(intent.request)
                guard case .success = answer else { return answer }
                isDone = true
                // One that does not say how many it has is taken for one that has as many as before: that changes nothing.
                if case .success(.size(let size)) = await self.callPlugin(.size(id: group)),
                    size != before?.spec?.spec.size
                {
                    return answer
                }
                return .failure(Self.keepsSize)
            }
        } catch {
            guard isDone else { throw error }
            guard error == Self.keepsSize else {
                // It has not said how many it has, and holds the smaller size.
                if groups.states[group]?.change.status == .applied { return .ok }
                throw GroupError(
                    error.code,
                    "the instances were destroyed; their group's smaller size is \(error.message)"
                )
            }
            dependencies.pluginHealth.noteKeepsSize()
            // The newest word on the group is not to be that something was refused.
            try await recommit(group, from: caller)
            return .ok
        }
        try await followSize(of: group, from: caller, message)
        return .ok
    }

    private static let keepsSize = GroupError(.rejected, "the plugin keeps the size, and starts others in their places")

    /// Notes a size that the plugin has, and the history has not.
    private func followSize(of group: Identifier, from caller: Caller, _ message: String) async throws(GroupError) {
        guard let declared = groups.states[group]?.spec?.spec.size,
            case .success(.size(let size)) = await callPlugin(.size(id: group)), size != declared
        else { return }
        do throws(GroupError) {
            _ = try await resize(group, to: size, from: caller, message: message, resolving: nil)
        } catch {
            throw GroupError(
                error.code,
                "the instances were destroyed, and the plugin now has size \(size) for '\(group)'; the history may "
                    + "still say \(declared): \(error.message)"
            )
        }
    }

    private func recommit(_ group: Identifier, from caller: Caller) async throws(GroupError) {
        _ = try await write(.commit, group, from: caller, message: Self.keepsSize.message) {
            [settings] before throws(GroupError) in
            guard let spec = before?.spec?.spec else { throw .notWatched(group) }
            return Intent(
                action: .set(spec.properties, plugin: settings.pluginName),
                request: .commit(spec, pretend: false)
            )
        }
    }

    private func set(
        _ operation: Operation,
        _ spec: GroupSpec,
        _ call: GroupRequest,
        _ caller: Caller,
        _ trigger: RevisionTrigger?
    ) async throws(GroupError) -> GroupReply {
        guard !spec.id.isEmpty else { throw GroupError(.rejected, "Group ID must not be blank") }
        return try await write(operation, spec.id, from: caller, resolving: trigger) { [settings] _ in
            Intent(action: .set(spec.properties, plugin: settings.pluginName), request: call)
        }
    }

    /// An update that was stopped is not begun anew, should its change still be pending: the plugin keeps what it has of it.
    private func stopUpdate(_ group: Identifier) async throws(GroupError) -> GroupReply {
        let reply = try await ask(.stopUpdate(id: group))
        if groups.states[group]?.change.status == .pending { groups.stopped.insert(group) }
        return reply
    }

    /// Changes the size of a group: a commit of its present spec with another `Allocation.Size`.
    private func resize(
        _ group: Identifier,
        to size: Int,
        from caller: Caller,
        message: String = "",
        resolving trigger: RevisionTrigger?
    ) async throws(GroupError) -> GroupReply {
        _ = try await write(.commit, group, from: caller, message: message, resolving: trigger) {
            [settings] before throws(GroupError) in
            guard let spec = before?.spec?.spec else { throw .notWatched(group) }
            let resized = try spec.settingSize(size)
            return Intent(
                action: .set(resized.properties, plugin: settings.pluginName),
                request: .commit(resized, pretend: false)
            )
        }
        return .ok
    }
}

extension GroupRequest {
    /// Whether the call makes a revision.
    var isStored: Bool {
        switch self {
        case .watch, .update, .commit(_, pretend: false), .unwatch, .free, .destroy, .setSize: true
        case .commit, .describeUpdate, .stopUpdate, .describe, .inspect, .size, .destroyInstances: false
        }
    }

    /// Whether the call changes something, be it only at the plugin.
    var isWrite: Bool {
        switch self {
        case .stopUpdate, .destroyInstances: true
        default: isStored
        }
    }
}
