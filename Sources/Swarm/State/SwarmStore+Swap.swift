internal import Store
internal import Synchronization

extension SwarmStore {
    /// A change of the image that waits to be written.
    struct Edit: Sendable {
        let apply: @Sendable (inout HistoryImage) throws(StoreError) -> Void
        /// Requests of other nodes that it settles: they must still be asked, and are not afterwards.
        let taking: Set<String>
        let deadline: ContinuousClock.Instant
        let finish: @Sendable (StoreError?) -> Void
    }

    /// Changes the image: in the label, then in the copy. Edits that wait at one moment are written together.
    ///
    /// - Parameters:
    ///   - taking: requests of other nodes that it settles.
    ///   - body: may run more than once, each time on an image without its effect.
    /// - Throws: ``StoreError``: what `body` throws; `fenced` when another has written, or this node may not lead any
    ///   more; `tooLarge`; `busy` when nothing was written; `unknownOutcome`.
    func edit<Value: Sendable>(
        taking: Set<String> = [],
        within timeout: Duration,
        _ body: @escaping @Sendable (inout HistoryImage) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result = Mutex<Value?>(nil)
        let failure = await withCheckedContinuation { continuation in
            edits.append(
                Edit(
                    apply: { image throws(StoreError) in
                        let value = try body(&image)
                        result.withLock { $0 = value }
                    },
                    taking: taking,
                    deadline: .now + timeout,
                    finish: { continuation.resume(returning: $0) }
                )
            )
            guard !isSwapping else { return }
            isSwapping = true
            // Its own task: it goes on for edits that come meanwhile, whoever gives up waiting.
            Task { await drain() }
        }
        if let failure { throw failure }
        guard let value = result.withLock({ $0 }) else { throw StoreError(.io, "the edit gave no result") }
        return value
    }

    private func drain() async {
        while !edits.isEmpty {
            let batch = edits
            edits = []
            await write(batch)
        }
        isSwapping = false
    }

    private func write(_ batch: [Edit]) async {
        let now = ContinuousClock.now
        for edit in batch where edit.deadline <= now { edit.finish(.engineTooSlow) }
        let batch = batch.filter { $0.deadline > now }
        guard let state = known else {
            for edit in batch { edit.finish(.notLookedYet) }
            return
        }
        var image = state.image ?? HistoryImage()
        var done: [Edit] = []
        for edit in batch {
            var next = image
            do throws(StoreError) {
                try edit.apply(&next)
                image = next
                done.append(edit)
            } catch {
                edit.finish(error)
            }
        }
        guard !done.isEmpty else { return }
        image.trim(to: settings.past, time: SteadyTime.now)
        do throws(StoreError) {
            if image != state.image { try await write(image, over: state, by: done) }
            for edit in done { edit.finish(nil) }
        } catch {
            // Of several, one may be what the label cannot take, or a request that was taken back.
            guard done.count > 1, error.code == .tooLarge || error.code == .conflict else {
                for edit in done { edit.finish(error) }
                return
            }
            for edit in done { await write([edit]) }
        }
    }

    private func write(
        _ image: HistoryImage,
        over state: SwarmState,
        by edits: [Edit]
    ) async throws(StoreError) {
        var image = image
        let taking = edits.reduce(into: Set<String>()) { $0.formUnion($1.taking) }
        let encoded: EncodedAnnotation
        do throws(AnnotationError) {
            encoded = try encode(&image)
        } catch {
            throw StoreError(.tooLarge, error.message)
        }
        warn(encoded.warning)
        let earliest = edits.map(\.deadline).min() ?? .now
        let position: SwarmPosition
        do throws(EngineError) {
            position = try await annotations.compareAndSwap(
                label: Annotation.label,
                from: state.ownText,
                to: encoded.text,
                others: { snapshot throws(EngineError) in try Self.mailbox(snapshot, without: taking, state) },
                within: max(earliest - .now, .milliseconds(100)),
                while: { [claims] in claims.claim.isLeader }
            )
        } catch {
            // What the label holds now has to be looked at.
            if error.code == .lostRace || error.code == .unknownOutcome { known = nil }
            throw StoreError(error, isWrite: true)
        }
        // A look may have seen this write already, and more.
        if known.map({ $0.position < position }) ?? true {
            var written = known ?? state
            (written.label, written.text, written.image, written.foreign) = (Annotation.label, encoded.text, image, nil)
            written.position = position
            written.mailbox?.remove(taking)
            known = written
        }
        do throws(StoreError) {
            try await updateCopy()
        } catch {
            throw StoreError(
                .unknownOutcome,
                "it is stored in the swarm, but not in this node's copy: \(error.message)"
            )
        }
    }

    /// With as much of the past as there is room for.
    private func encode(_ image: inout HistoryImage) throws(AnnotationError) -> EncodedAnnotation {
        do {
            return try Annotation(image).encoded(limit: settings.label)
        } catch {
            image.trim(to: HistoryImage.Limits(records: 1, bytes: 0, terms: 1), time: SteadyTime.now)
            return try Annotation(image).encoded(limit: settings.label)
        }
    }

    /// What becomes of the other nodes' requests in the same update.
    private static func mailbox(
        _ snapshot: SwarmSnapshot,
        without taking: Set<String>,
        _ state: SwarmState
    ) throws(EngineError) -> [String: String] {
        // The Go manager's older label is not written, so nothing else tells that it has changed, or has come.
        guard state.label == Annotation.label || snapshot.text == state.text else {
            throw EngineError(.lostRace, "another manager has written the swarm's label meanwhile; nothing was written")
        }
        guard !taking.isEmpty else { return [:] }
        do {
            var mailbox = try Mailbox(label: snapshot.mailbox)
            guard mailbox.ids.isSuperset(of: taking) else {
                throw EngineError(.conflict, "who asked has taken the request back; nothing was changed")
            }
            mailbox.remove(taking)
            return [Mailbox.label: try mailbox.encoded()]
        } catch let error as EngineError {
            throw error
        } catch {
            throw EngineError(.conflict, "\(error)")
        }
    }
}

extension StoreError {
    fileprivate static let engineTooSlow = StoreError(
        .busy,
        "the Engine did not get round to it in time; nothing was stored. See whether the swarm's managers are well: docker "
            + "node ls."
    )
    static let notLookedYet = StoreError(
        .busy,
        "what the swarm's label holds has to be looked at first; nothing was stored"
    )
}
