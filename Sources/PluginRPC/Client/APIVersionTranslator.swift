internal import GroupSPI

/// Carries out a request on a plugin of either generation: natively when the plugin knows the method, else with what
/// the other generation has in its place.
struct APIVersionTranslator: Sendable {
    private let peer: Peer
    private let delivery: DeliveryState
    private let limit: Limit

    /// Cancels what it is given when a part of the call's time is over, so that there is some left for what follows.
    typealias Limit = @Sendable (_ body: @escaping @Sendable () async -> Void) async -> Void

    init(peer: Peer, delivery: DeliveryState, limit: @escaping Limit = { await $0() }) {
        self.peer = peer
        self.delivery = delivery
        self.limit = limit
    }

    func carryOut(_ request: GroupRequest) async throws(TransportError) -> GroupReply {
        let hasLearned = peer.methods.isInUse
        do {
            return try await translate(request)
        } catch .unsupported where hasLearned {
            // The plugin may have been replaced behind an address that does not show it: ask afresh, once.
            peer.methods.clear()
            return try await translate(request)
        }
    }

    private func translate(_ request: GroupRequest) async throws(TransportError) -> GroupReply {
        switch request {
        case .watch(let spec): try await watch(spec)
        case .update(let spec): try await update(spec)
        case .describeUpdate(let spec): .plan(try await describeUpdate(spec))
        case .stopUpdate(let id): try await stopUpdate(id)
        case .unwatch(let id): try await unwatch(id)
        case .free(let id): try await free(id)
        case .commit(let spec, let pretend): .details(try await commit(spec, pretend: pretend))
        case .describe(let id): .description(try await describe(id))
        case .inspect: .groups(try await inspect())
        case .destroy(let id):
            try ReplyDecoder.acknowledgement(try await required(.destroy(id)), of: request.method)
        case .size(let id): .size(try await size(id))
        case .setSize(let id, let size): try await setSize(id, size)
        case .destroyInstances(let id, let instances): try await destroyInstances(id, instances)
        }
    }
}

// MARK: - The first generation's calls

extension APIVersionTranslator {
    private func watch(_ spec: GroupSpec) async throws(TransportError) -> GroupReply {
        if let result = try await native(.watch(spec)) {
            return try ReplyDecoder.acknowledgement(result, of: "WatchGroup")
        }
        guard try await !isWatched(spec.id) else { throw .rejected(GroupError.alreadyWatched(spec.id).message) }
        _ = try ReplyDecoder.details(try await required(.commit(spec, pretend: false)))
        return .ok
    }

    private func update(_ spec: GroupSpec) async throws(TransportError) -> GroupReply {
        if let result = try await native(.update(spec)) {
            return try ReplyDecoder.acknowledgement(result, of: "UpdateGroup")
        }
        guard try await isWatched(spec.id) else { throw .rejected(GroupError.notWatched(spec.id).message) }
        _ = try ReplyDecoder.details(try await required(.commit(spec, pretend: false)))
        return .ok
    }

    private func describeUpdate(_ spec: GroupSpec) async throws(TransportError) -> String {
        if let result = try await native(.describeUpdate(spec)) { return try ReplyDecoder.plan(result) }
        // The later generations would explain how the group comes to be.
        guard try await isWatched(spec.id) else { throw .rejected(GroupError.notWatched(spec.id).message) }
        return try ReplyDecoder.details(try await required(.commit(spec, pretend: true)))
    }

    private func stopUpdate(_ id: Identifier) async throws(TransportError) -> GroupReply {
        guard let result = try await native(.stopUpdate(id)) else {
            throw .unsupported(
                "the update of group '\(id)' cannot be stopped: the group plugin has no method StopUpdate; commit "
                    + "another configuration instead"
            )
        }
        return try ReplyDecoder.acknowledgement(result, of: "StopUpdate")
    }
}

// MARK: - The later generations' calls

extension APIVersionTranslator {
    private func commit(_ spec: GroupSpec, pretend: Bool) async throws(TransportError) -> String {
        if let result = try await native(.commit(spec, pretend: pretend)) { return try ReplyDecoder.details(result) }
        if pretend {
            guard try await isWatched(spec.id) else {
                return
                    "Would watch \(spec.id), if the plugin accepts it: a plugin of this version cannot tell in advance"
            }
            return try ReplyDecoder.plan(try await required(.describeUpdate(spec)))
        }
        do {
            _ = try ReplyDecoder.acknowledgement(try await required(.watch(spec)), of: "WatchGroup")
            return "Watching \(spec.id)"
        } catch .rejected(let words) where GroupError(.rejected, words).saysAlreadyWatched {
            _ = try ReplyDecoder.acknowledgement(try await required(.update(spec)), of: "UpdateGroup")
            return "Updated \(spec.id)"
        }
    }

    private func size(_ id: Identifier) async throws(TransportError) -> Int {
        if let result = try await native(.size(id)) { return try ReplyDecoder.size(result) }
        return JSONView(try await describe(id).instances).elements.count
    }

    private func setSize(_ id: Identifier, _ size: Int) async throws(TransportError) -> GroupReply {
        if let result = try await native(.setSize(id, size)) {
            return try ReplyDecoder.acknowledgement(result, of: "SetSize")
        }
        guard let spec = try await inspect().last(where: { $0.id == id }) else {
            throw .rejected(GroupError.notWatched(id).message)
        }
        let resized: GroupSpec
        do {
            resized = try spec.settingSize(size)
        } catch {
            throw .refused(error)
        }
        _ = try await commit(resized, pretend: false)
        return .ok
    }

    private func destroyInstances(_ id: Identifier, _ instances: [Identifier]) async throws(TransportError)
        -> GroupReply
    {
        guard let result = try await native(.destroyInstances(id, instances)) else {
            throw .unsupported(
                "instances of group '\(id)' cannot be destroyed one by one: the group plugin has no DestroyInstances"
            )
        }
        return try ReplyDecoder.acknowledgement(result, of: "DestroyInstances")
    }
}

// MARK: - Both generations' calls

extension APIVersionTranslator {
    private func unwatch(_ id: Identifier) async throws(TransportError) -> GroupReply {
        if let result = try await native(.unwatch(id)) {
            return try ReplyDecoder.acknowledgement(result, of: "UnwatchGroup")
        }
        return try ReplyDecoder.acknowledgement(try await required(.free(id)), of: "FreeGroup")
    }

    /// After it, the plugin does nothing to the group any more.
    ///
    /// One that watches does not see to that by itself: it goes on with an update that is under way, and ends instances that
    /// another may have begun to watch. But it may be so busy with that update that it does not answer: so StopUpdate has a part of
    /// the call's time, and whatever becomes of it, UnwatchGroup follows.
    private func free(_ id: Identifier) async throws(TransportError) -> GroupReply {
        if let result = try await native(.free(id)) {
            return try ReplyDecoder.acknowledgement(result, of: "FreeGroup")
        }
        // Over another connection, where the plugin has ended the one before: once is enough.
        if delivery.beginsToStop() {
            await limit {
                // Refused: it is not being updated.
                _ = try? await native(.stopUpdate(id))
            }
        }
        // The caller has given up, and nothing is begun any more.
        guard !Task.isCancelled else { throw .cancelled }
        return try ReplyDecoder.acknowledgement(try await required(.unwatch(id)), of: "UnwatchGroup")
    }

    private func describe(_ id: Identifier) async throws(TransportError) -> GroupDescription {
        try ReplyDecoder.description(try await required(.describe(id)))
    }

    private func inspect() async throws(TransportError) -> [GroupSpec] {
        try ReplyDecoder.groups(try await required(.inspect))
    }

    private func isWatched(_ id: Identifier) async throws(TransportError) -> Bool {
        try await inspect().contains { $0.id == id }
    }

    /// The result, or nil when the plugin does not know the method.
    private func native(_ call: WireCall) async throws(TransportError) -> JSONView? {
        guard !peer.methods.isMissing(call) else { return nil }
        do {
            return try await delivery.send(call, to: peer)
        } catch .missing {
            return nil
        }
    }

    private func required(_ call: WireCall) async throws(TransportError) -> JSONView {
        guard let result = try await native(call) else {
            throw .unsupported("the plugin is not a group plugin that this program knows: it has no \(call.method)")
        }
        return result
    }
}
