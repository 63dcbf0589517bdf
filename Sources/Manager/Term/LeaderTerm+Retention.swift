internal import Logging
internal import Store

extension LeaderTerm {
    /// The lease's sequence at moments of this term: so old requests are told from new ones.
    private typealias Marks = [(at: BootInstant, sequence: Int)]

    /// Removes again and again what is not kept any longer.
    func retain() async {
        var marks: Marks = []
        await every(settings.tidyPause) { await tidy(&marks) }
    }

    /// Removes what the retention policy does not keep, in many short steps.
    private func tidy(_ marks: inout Marks) async {
        do {
            try await forgetRequests(&marks)
            guard !settings.retention.keepsEverything else { return }
            var position: Int? = 0
            var removed = 0
            while let from = position, lease.isValid {
                let step = try await store.prune(
                    settings.retention,
                    after: from,
                    fence: fence,
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
    private func forgetRequests(_ marks: inout Marks) async throws {
        let now = clock.now()
        let old = marks.lastIndex { now - $0.at >= Self.requestMemory }
        var step: RequestRemoval
        repeat {
            step = try await store.removeRequests(
                endedBefore: old.map { marks[$0].sequence } ?? 0,
                fence: fence,
                within: settings.storeTimeout
            )
        } while step.removed > 0 && lease.isValid
        guard lease.isValid else { return }
        marks.removeFirst(old ?? 0)
        marks.append((at: now, sequence: step.sequence))
    }
}
