internal import Logging
internal import Store

extension GroupKeeper {
    /// Removes what the retention policy does not keep, in many short steps.
    func tidy(_ token: TermToken) async {
        defer { isTidying = false }
        do {
            try await store.removeRequests(
                before: clock.wallTime() - 86_400_000,
                fence: fence(token.epoch),
                within: settings.storeTimeout
            )
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
}
