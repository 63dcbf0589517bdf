internal import Logging
internal import Store

extension GroupKeeper {
    /// Removes what the retention policy does not keep, in many short steps.
    func tidy(_ token: TermToken) async {
        defer { isTidying = false }
        do {
            try await forgetRequests(token)
            guard !settings.retention.keepsEverything else { return }
            var position: Int? = 0
            var removed = 0
            while let from = position, isCurrent(token) {
                let step = try await store.prune(
                    settings.retention,
                    after: from,
                    fence: fence(token.epoch),
                    within: settings.storeTimeout
                )
                removed += step.removed
                position = step.position
            }
            guard removed > 0 else { return }
            logger.notice("history pruned", metadata: ["revisions": "\(removed)"])
        } catch {
            // The next round goes on where this one ended.
            logger.warning("history not pruned", metadata: ["error": "\(error)"])
        }
    }

    /// For how long whoever asked finds what became of it, by this leader's clock.
    private static let requestMemory = Duration.seconds(300)

    /// Forgets what was asked and has ended, however much that is.
    private func forgetRequests(_ token: TermToken) async throws {
        let now = clock.now()
        let old = requestMarks.lastIndex { now - $0.at >= Self.requestMemory }
        var step: RequestRemoval
        repeat {
            step = try await store.removeRequests(
                endedBefore: old.map { requestMarks[$0].sequence } ?? 0,
                fence: fence(token.epoch),
                within: settings.storeTimeout
            )
        } while step.removed > 0 && isCurrent(token)
        guard isCurrent(token) else { return }
        requestMarks.removeFirst(old ?? 0)
        requestMarks.append((at: now, sequence: step.sequence))
    }
}
