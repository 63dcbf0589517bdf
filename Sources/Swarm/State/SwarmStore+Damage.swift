internal import Logging
internal import Store

/// The copy can be made anew at any time: what it holds is in the label, and in the memory of this manager.
extension SwarmStore {
    static let damaged = "damaged"

    /// Does something with the copy. When it turns out to be damaged, it is put aside, made anew, and asked again.
    func inCopy<Value: Sendable>(
        _ body: (any LocalReplica) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        do throws(StoreError) {
            return try await body(replica)
        } catch {
            guard error.saysDamage else { throw error }
            try await heal(error)
            return try await body(replica)
        }
    }

    /// The damaged copies of this node that are still there.
    ///
    /// Without a label, and with one of these beside an empty copy, nobody knows whether the swarm is a new one: so it is
    /// not taken for one.
    var lostCopies: String? {
        place.replaced(as: Self.damaged)
    }

    /// Looks at the whole copy, so that damage is found before somebody needs what it hits.
    func verifyCopy() async {
        do throws(StoreError) {
            let pages = try await replica.damagedPages(within: .seconds(600))
            guard let page = pages.first else { return }
            try await heal(StoreError(.corrupt, "page \(page) of \(place.path) does not have its checksum"))
        } catch {
            guard error.saysDamage else { return }
            try? await heal(error)
        }
    }

    /// A disk that damages everything at once is not helped by more copies.
    private static let (mostHealed, healingSpan) = (5, Duration.seconds(60))

    func heal(_ reason: StoreError) async throws(StoreError) {
        if let healing {
            if let failure = await healing.value { throw failure }
            return
        }
        let now = clock.now()
        healedAt.removeAll { now - $0 > Self.healingSpan }
        guard healedAt.count < Self.mostHealed else {
            throw StoreError(
                .io,
                "this node's copy was damaged \(healedAt.count) times within a minute (\(reason.message)). Check the disk that "
                    + "holds \(place.path).",
                cause: reason.cause
            )
        }
        healedAt.append(now)
        // Its own task: whoever found the damage may give up, and others wait for the same.
        let task = Task { () -> StoreError? in
            do throws(StoreError) {
                try await self.makeCopyAnew(reason)
                return nil
            } catch {
                return error
            }
        }
        healing = task
        let failure = await task.value
        healing = nil
        if let failure { throw failure }
    }

    private func makeCopyAnew(_ reason: StoreError) async throws(StoreError) {
        let limit = settings.swap.limit
        // Who asked something here still waits for an answer. What cannot be read is in the file that is kept.
        let waiting = (try? await replica.waitingRequests(within: limit)) ?? []
        let passedOn = (try? await replica.passedOnRequests(within: limit)) ?? []
        let aside = try await place.replace(as: Self.damaged)
        logger.warning("swarm copy damaged", metadata: ["reason": "\(reason.message)", "path": "\(aside ?? "")"])
        if let memory, let projected {
            var image = memory
            if let known { image.lease = shownLease(known) }
            _ = try await replica.project(image, projected, within: limit)
        }
        for request in waiting { try await replica.submit(request, within: limit) }
        for (request, isWithdrawn) in passedOn {
            try await replica.submit(request, within: limit)
            _ = try await replica.moveRequest(request.id, from: .waiting, to: .passedOn, error: nil, within: limit)
            if isWithdrawn { _ = try await replica.cancelRequest(request.id, within: limit) }
        }
    }
}

extension StoreError {
    /// Whether the file itself is what is wrong: damaged, overwritten, emptied, or removed.
    var saysDamage: Bool {
        switch code {
        case .notADatabase, .missing, .empty, .lost: true
        // Others call what a request's row holds corrupt: that is no page.
        case .corrupt: cause != nil
        // A file that was cut to nothing, or had another one's content put over it, under an open connection.
        case .io: cause?.primaryCode == 1 && cause?.message.contains("no such table") == true
        default: false
        }
    }
}
