internal import GroupSPI
internal import Logging
package import Store
internal import Synchronization

/// Keeps this node's replica: it can be made anew at any time, as all that it holds is in the register, and in the memory of this
/// manager.
package actor ReplicaKeeper {
    static let damaged = "damaged"

    nonisolated let replica: any LocalReplica
    nonisolated let place: any ReplicaPlace
    private nonisolated let clock: ReplicationClock
    private nonisolated let settings: ReplicationSettings
    private nonisolated let terminology: RegisterTerminology
    private nonisolated let logger: Logger
    /// From what a replica is made anew; nil before the first snapshot.
    nonisolated let source = Mutex<Source?>(nil)

    private var healing: Task<StoreError?, Never>?
    private var healedAt: [ContinuousClock.Instant] = []
    private var prunedAt: ContinuousClock.Instant?
    private var verifiedAt: ContinuousClock.Instant?
    /// The sequence of the replica's lease at moments of this process.
    private var requestMarks: [(at: ContinuousClock.Instant, sequence: Int)] = []

    struct Source: Sendable {
        let snapshot: Snapshot
        let info: LocalReplicaInfo
    }

    /// What a replica knew when it was opened.
    struct Opened: Sendable {
        let replica: any LocalReplica
        let snapshot: Snapshot?
        let epoch: Int
        let info: LocalReplicaInfo?
    }

    init(
        _ replica: any LocalReplica,
        at place: any ReplicaPlace,
        clock: ReplicationClock,
        settings: ReplicationSettings,
        terminology: RegisterTerminology,
        logger: Logger
    ) {
        self.replica = replica
        self.place = place
        self.clock = clock
        self.settings = settings
        self.terminology = terminology
        self.logger = logger
    }

    // MARK: - Opening

    private static let startLimit = Duration.seconds(30)

    /// Opens this node's replica; makes it when it is missing, and puts a damaged one aside.
    ///
    /// - Throws: ``StoreError``, also `conflict` when the database is not a replica but a history of its own.
    static func open(
        _ place: any ReplicaPlace,
        settings: ReplicationSettings,
        terminology: RegisterTerminology,
        logger: Logger
    ) async throws(StoreError) -> Opened {
        do throws(StoreError) {
            return try await open(place, settings, terminology)
        } catch {
            guard error.saysDamage else { throw error }
            let path = try await place.resync(quarantining: damaged)
            terminology.log(.replicaDamaged(reason: error.message, path: path ?? ""), logger)
            return try await open(place, settings, terminology)
        }
    }

    private static func open(
        _ place: any ReplicaPlace,
        _ settings: ReplicationSettings,
        _ terminology: RegisterTerminology
    ) async throws(StoreError) -> Opened {
        let replica = try await place.open()
        let epoch = try await replica.lease(within: startLimit).epoch
        let info = try await replica.replicaInfo(within: startLimit)
        if info == nil, epoch > 0 {
            throw StoreError(
                .conflict,
                "\(place.path) is the history of a manager in os mode, and not a copy of a \(terminology.cluster)'s. Name another "
                    + "store directory; export and import carry the groups over."
            )
        }
        // From here on commands know what this database is, also when the register never answers.
        try await replica.beginReplica(within: startLimit)
        return Opened(
            replica: replica,
            snapshot: try await replica.snapshot(of: settings.past.records, within: startLimit),
            epoch: epoch,
            info: info
        )
    }

    // MARK: - Damage

    /// Does something with the replica. When it turns out to be damaged, it is put aside, made anew, and asked again.
    func perform<Value: Sendable>(
        _ body: @Sendable (any LocalReplica) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        do throws(StoreError) {
            return try await body(replica)
        } catch {
            guard error.saysDamage else { throw error }
            try await heal(error)
            return try await body(replica)
        }
    }

    /// The damaged replicas of this node that are still there.
    ///
    /// With an empty register, and with one of these beside an empty replica, nobody knows whether the register is a new one: so
    /// it is not taken for one.
    nonisolated var quarantined: String? { place.quarantined(as: Self.damaged) }

    /// Looks at the whole replica, so that damage is found before somebody needs what it hits.
    package func verify() async {
        do throws(StoreError) {
            let pages = try await replica.damagedPages(within: .seconds(600))
            guard let page = pages.first else { return }
            try await heal(StoreError(.corrupt, "page \(page) of \(place.path) does not match its checksum"))
        } catch {
            guard error.saysDamage else { return }
            try? await heal(error)
        }
    }

    /// A disk that damages everything at once is not helped by more replicas.
    private static let (mostHealed, healingSpan) = (5, Duration.seconds(60))

    package func heal(_ reason: StoreError) async throws(StoreError) {
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
                try await self.rebuild(reason)
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

    private func rebuild(_ reason: StoreError) async throws(StoreError) {
        let limit = settings.limit
        // Who asked something here still waits for an answer. What cannot be read is in the file that is kept.
        let waiting = (try? await replica.waitingRequests(within: limit)) ?? []
        let forwarded = (try? await replica.forwardedRequests(within: limit)) ?? []
        let path = try await place.resync(quarantining: Self.damaged)
        terminology.log(.replicaDamaged(reason: reason.message, path: path ?? ""), logger)
        if let source = source.withLock(\.self) {
            _ = try await replica.apply(source.snapshot, source.info, within: limit)
        }
        for request in waiting { try await replica.submit(request, within: limit) }
        for (request, isCancelled) in forwarded {
            try await replica.submit(request, within: limit)
            _ = try await replica.moveRequest(request.id, from: .waiting, to: .forwarded, error: nil, within: limit)
            if isCancelled { _ = try await replica.cancelRequest(request.id, within: limit) }
        }
    }

    // MARK: - What it is a replica of

    /// Brings it up to date. One of another history is put aside, and made anew.
    ///
    /// - Parameter snapshot: nil when there is none that can be told.
    /// - Throws: ``StoreError``: `busy` when it knows more than the snapshot does.
    func apply(_ snapshot: Snapshot?, _ info: LocalReplicaInfo) async throws(StoreError) {
        let limit = settings.limit
        let result = try await perform { replica throws(StoreError) in
            if let old = try await replica.replicaInfo(within: limit), old.cluster != info.cluster, !old.cluster.isEmpty
            {
                try await self.resync("it is a copy of the \(self.terminology.cluster) \(old.cluster)")
            }
            var result = try await replica.apply(snapshot, info, within: limit)
            if case .diverged(let number) = result {
                try await self.resync("its revision \(number) is not the \(self.terminology.cluster)'s")
                result = try await replica.apply(snapshot, info, within: limit)
            }
            return result
        }
        switch result {
        case .done(let revisions):
            if revisions > 0 { logger.debug("revisions copied", metadata: ["revisions": "\(revisions)"]) }
        case .behind:
            throw StoreError(.busy, "\(terminology.place) has fewer revisions than this node's copy, which is kept")
        case .stale, .diverged: break
        }
    }

    private func resync(_ reason: String) async throws(StoreError) {
        let path = try await place.resync(quarantining: "aside")
        terminology.log(.replicaQuarantined(reason: reason, path: path ?? ""), logger)
    }

    // MARK: - What it need not keep

    /// Looks for damage, and removes what need not be kept, where it is time for that.
    ///
    /// - Parameter isLeading: then the leader's term removes it.
    func tidy(isLeading: Bool) async {
        let now = clock.now()
        if let interval = settings.verifyInterval, verifiedAt.map({ now - $0 >= interval }) ?? true {
            verifiedAt = now
            // Its own task: it takes as long as the history is long, and nobody waits for it.
            Task { await self.verify() }
        }
        guard !isLeading, isTimeToPrune(now) else { return }
        prunedAt = now
        let (limit, retention) = (settings.limit, settings.retention)
        do throws(StoreError) {
            try await forgetRequests(now)
            guard !retention.keepsEverything else { return }
            try await perform { replica throws(StoreError) in
                var position: Int? = 0
                while let from = position {
                    position = try await replica.pruneReplica(retention, after: from, within: limit).position
                }
            }
        } catch {
            logger.warning("history not pruned", metadata: ["error": "\(error)"])
        }
    }

    private func isTimeToPrune(_ now: ContinuousClock.Instant) -> Bool {
        let pause = settings.retention.pause(atMost: settings.pruneInterval)
        return prunedAt.map { now - $0 >= pause } ?? true
    }

    /// For how long whoever asked on this node finds what became of it.
    private static let requestMemory = Duration.seconds(300)

    private func forgetRequests(_ now: ContinuousClock.Instant) async throws(StoreError) {
        let limit = settings.limit
        let old = requestMarks.lastIndex { now - $0.at >= Self.requestMemory }
        let mark = old.map { requestMarks[$0].sequence } ?? 0
        let sequence = try await perform { replica throws(StoreError) in
            var step: RequestRemoval
            repeat {
                step = try await replica.removeReplicaRequests(endedBefore: mark, within: limit)
            } while step.removed > 0
            return step.sequence
        }
        requestMarks.removeFirst(old ?? 0)
        requestMarks.append((at: now, sequence: sequence))
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
