internal import Logging
internal import Store
internal import Synchronization

extension SwarmStore {
    /// What a change begins with. There is no way to begin with nothing.
    enum Basis: Sendable {
        /// What the label holds; for whoever leads, where the label has lost it, what this node knows.
        case newest
        /// A beginning that a new term has worked out from that text of the label.
        case beginning(HistoryImage, over: String?)
    }

    /// A change of the image that waits to be written.
    struct Edit: Sendable {
        let basis: Basis
        let apply: @Sendable (inout HistoryImage) throws(StoreError) -> Void
        /// Requests of other nodes that it settles: they must still be asked, and are not afterwards.
        let taking: Set<String>
        let deadline: ContinuousClock.Instant
        let finish: @Sendable (StoreError?) -> Void
    }

    /// Changes the image: in the label, then in the copy. Edits that wait at one moment are written together.
    ///
    /// - Parameters:
    ///   - basis: what it begins with.
    ///   - taking: requests of other nodes that it settles.
    ///   - body: may run more than once, each time on an image without its effect.
    /// - Throws: ``StoreError``: what `body` throws; `fenced` when another has written, or this node may not lead any
    ///   more; `tooLarge`; `busy` when nothing was written; `unknownOutcome`.
    func edit<Value: Sendable>(
        from basis: Basis = .newest,
        taking: Set<String> = [],
        within timeout: Duration,
        _ body: @escaping @Sendable (inout HistoryImage) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result = Mutex<Value?>(nil)
        let failure = await withCheckedContinuation { continuation in
            edits.append(
                Edit(
                    basis: basis,
                    apply: { image throws(StoreError) in
                        let value = try body(&image)
                        result.withLock { $0 = value }
                    },
                    taking: taking,
                    deadline: clock.now() + timeout,
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

    /// - Parameter isAgain: the label was found lost by the write before.
    private func write(_ batch: [Edit], isAgain: Bool = false) async {
        let now = clock.now()
        for edit in batch where edit.deadline <= now { edit.finish(.engineTooSlow) }
        let batch = batch.filter { $0.deadline > now }
        guard let first = batch.first else { return }
        // A beginning is written alone.
        if batch.count > 1, batch.contains(where: \.hasBeginning) {
            for edit in batch { await write([edit]) }
            return
        }
        guard let state = known else {
            for edit in batch { edit.finish(.notLookedYet) }
            return
        }
        var image: HistoryImage
        do throws(StoreError) {
            image = try begin(first.basis, state)
        } catch {
            for edit in batch { edit.finish(error) }
            return
        }
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
        image.trim(to: settings.past, time: steady.now)
        do throws(StoreError) {
            if image != state.image { try await write(image, over: state, by: done) }
            for edit in done { edit.finish(nil) }
        } catch {
            if known == nil, error.code == .fenced, !isAgain, await isRestorable() {
                return await write(done, isAgain: true)
            }
            // Of several, one may be what the label cannot take, or a request that was taken back.
            guard done.count > 1, error.code == .tooLarge || error.code == .conflict else {
                for edit in done { edit.finish(error) }
                return
            }
            for edit in done { await write([edit]) }
        }
    }

    /// The image that a change begins with: always one that is known.
    private func begin(_ basis: Basis, _ state: SwarmState) throws(StoreError) -> HistoryImage {
        switch (basis, state.finding) {
        case (.beginning(let image, let text), _):
            guard state.text == text else { throw .fenced(holder(state).lease) }
            return image
        case (.newest, .current(let image)): return image
        case (.newest, .lost(let loss)):
            guard isInTerm, let memory else {
                throw StoreError(
                    .busy,
                    "\(loss.sentence); whoever leads writes again what it knows. Nothing was stored"
                )
            }
            return memory
        case (.newest, .fresh): throw StoreError(.fenced, "nobody leads this swarm; nothing was stored")
        case (.newest, .foreign), (.newest, .strange): throw .foreignLabel
        case (.newest, .unreadable(let error)): throw StoreError(.busy, "\(error.message) Nothing was stored")
        }
    }

    /// After a lost race: whether what is in the label now is only less than what this leader knows.
    private func isRestorable() async -> Bool {
        guard isInTerm, claims.claim.isLeader, let snapshot = try? await annotations.read(), known == nil else {
            return false
        }
        let state = SwarmState(snapshot, before: nil, known: memory, rules)
        guard case .lost = state.finding else { return false }
        known = state
        return true
    }

    private func write(
        _ image: HistoryImage,
        over state: SwarmState,
        by edits: [Edit]
    ) async throws(StoreError) {
        var image = image
        image.sequence = max(image.sequence, memory?.sequence ?? 0) + 1
        let taking = edits.reduce(into: Set<String>()) { $0.formUnion($1.taking) }
        let encoded: EncodedAnnotation
        do throws(AnnotationError) {
            encoded = try encode(&image)
        } catch {
            throw StoreError(.tooLarge, error.message)
        }
        warn(encoded.warning)
        let earliest = edits.map(\.deadline).min() ?? clock.now()
        let position: SwarmPosition
        do throws(EngineError) {
            position = try await annotations.compareAndSwap(
                label: Annotation.label,
                from: state.ownText,
                to: encoded.text,
                others: { snapshot throws(EngineError) in try Self.mailbox(snapshot, without: taking, state) },
                within: max(earliest - clock.now(), .milliseconds(100)),
                while: { [claims] in claims.claim.isLeader }
            )
        } catch {
            // What the label holds now has to be looked at.
            if error.code == .lostRace || error.code == .unknownOutcome { known = nil }
            throw StoreError(error, isWrite: true)
        }
        if case .lost(let loss) = state.finding {
            logger.warning(
                "swarm label restored",
                metadata: ["reason": "\(loss.sentence)", "revision.number": "\(image.newest)"]
            )
        }
        if memory.map({ image.relation(to: $0) != .older }) ?? true { memory = image }
        // A look may have seen this write already, and more.
        if known.map({ $0.position < position }) ?? true {
            var written = known ?? state
            (written.label, written.text) = (Annotation.label, encoded.text)
            (written.content, written.finding) = (.ours(image), .current(image))
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
            image.trim(to: HistoryImage.Limits(records: 1, bytes: 0, terms: 1, outcomes: 0), time: steady.now)
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

extension SwarmStore.Edit {
    fileprivate var hasBeginning: Bool {
        guard case .beginning = basis else { return false }
        return true
    }
}

extension StoreError {
    static let foreignLabel = StoreError(
        .fenced,
        "another manager has written the swarm's label '\(Annotation.label)'; the next term takes over what is there"
    )
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
