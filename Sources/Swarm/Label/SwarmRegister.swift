internal import Logging
package import Replication
package import Store

/// The swarm's labels as the register of a ``ReplicatedStore``: the snapshot in one, the requests in another, which one update of
/// the swarm may change together.
package struct SwarmRegister: ReplicatedRegister {
    private let labels: LabelStore
    private let label: EncodedAnnotation.Limit

    /// - Parameter label: how large the label with the snapshot may be.
    package init(
        _ engine: any SwarmEngine,
        settings: SwapSettings,
        label: EncodedAnnotation.Limit = EncodedAnnotation.Limit(),
        clock: ReplicationClock = ReplicationClock()
    ) {
        self.label = label
        labels = LabelStore(engine, settings: settings, clock: clock)
    }

    package var terminology: RegisterTerminology { .swarm }
    package var limits: RegisterLimits { RegisterLimits(snapshot: label.maximum) }

    package func read() async throws(RegisterError) -> RegisterState { try await labels.read().state() }

    package func changes(since known: RegisterState) async throws(RegisterError) -> RegisterState {
        try await labels.read().state(since: known)
    }

    package func swap(
        _ snapshot: Snapshot,
        over state: RegisterState,
        taking: Set<String>,
        within limit: Duration,
        while mayWrite: @escaping @Sendable () -> Bool
    ) async throws(RegisterError) -> RegisterWrite {
        let encoded: EncodedAnnotation
        do throws(AnnotationError) {
            encoded = try Annotation(snapshot).encoded(limit: label)
        } catch {
            throw RegisterError(.tooLarge, error.message)
        }
        let version = try await labels.compareAndSwap(
            label: Annotation.label,
            from: SwarmLabels.ownText(state.tag),
            to: encoded.text,
            others: { labels throws(RegisterError) in try Self.requests(labels, without: taking, state) },
            within: limit,
            while: mayWrite
        )
        return RegisterWrite(
            version: version,
            tag: SwarmLabels.tag(Annotation.label, encoded.text),
            size: encoded.size,
            warning: encoded.warning
        )
    }

    /// What becomes of the other nodes' requests in the same update.
    private static func requests(
        _ labels: SwarmLabels,
        without taking: Set<String>,
        _ state: RegisterState
    ) throws(RegisterError) -> [String: String] {
        // The Go manager's older label is not written, so nothing else tells that it has changed, or has come.
        guard SwarmLabels.ownText(state.tag) != nil || labels.tag == state.tag else {
            throw RegisterError(
                .lostRace,
                "another manager has written the swarm's label meanwhile; nothing was written"
            )
        }
        guard !taking.isEmpty else { return [:] }
        do throws(AnnotationError) {
            var queue = try RequestQueue(label: labels.requests)
            if queue.ids.isSuperset(of: taking) {
                queue.remove(taking)
                return [RequestQueue.label: try queue.encoded()]
            }
        } catch {
            throw RegisterError(.conflict, error.message)
        }
        throw RegisterError(.conflict, "the request was cancelled; nothing was changed")
    }

    package func swap(
        _ requests: RequestQueue,
        over state: RegisterState,
        within limit: Duration
    ) async throws(RegisterError) -> RegisterWrite {
        let text = try encode(requests)
        let version = try await labels.compareAndSwap(
            label: RequestQueue.label,
            from: SwarmLabels.requestText(state.requests.tag),
            to: text,
            within: limit
        )
        return RegisterWrite(version: version, tag: SwarmLabels.requestTag(text), size: text.utf8.count)
    }

    package func validate(_ requests: RequestQueue) throws(RegisterError) { _ = try encode(requests) }

    private func encode(_ requests: RequestQueue) throws(RegisterError) -> String {
        do throws(AnnotationError) {
            return try requests.encoded()
        } catch {
            throw RegisterError(.tooLarge, error.message)
        }
    }
}

extension RegisterTerminology {
    static let swarm = RegisterTerminology(
        cluster: "swarm",
        server: "the Engine",
        place: "the swarm's label",
        content: .label(Annotation.label),
        requests: .label(RequestQueue.label),
        absence: "the swarm has no label '\(Annotation.label)'",
        advice: "Check the swarm's managers: docker node ls.",
        log: tell
    )

    private static func tell(_ event: ReplicationEvent, _ logger: Logger) {
        switch event {
        case .adopted(let groups): logger.notice("swarm label adopted", metadata: ["groups": "\(groups)"])
        case .nearlyFull(let warning): logger.warning("swarm label nearly full", metadata: ["warning": "\(warning)"])
        case .lost(let reason): logger.warning("swarm label lost", metadata: ["reason": "\(reason)"])
        case .restored(let reason, let revision):
            logger.warning(
                "swarm label restored",
                metadata: ["reason": "\(reason)", "revision.number": "\(revision)"]
            )
        case .putBack(let version): logger.warning("swarm put back", metadata: ["version": "\(version)"])
        case .requestsUnreadable:
            logger.warning("swarm requests unreadable", metadata: ["label": "\(RequestQueue.label)"])
        case .replicaDamaged(let reason, let path):
            logger.warning("swarm copy damaged", metadata: ["reason": "\(reason)", "path": "\(path)"])
        case .replicaQuarantined(let reason, let path):
            logger.warning("swarm copy set aside", metadata: ["reason": "\(reason)", "path": "\(path)"])
        }
    }
}
