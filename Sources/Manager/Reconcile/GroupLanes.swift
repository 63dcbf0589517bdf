internal import GroupSPI
internal import Synchronization

/// Keeps what is done to one group in order, and lets different groups go side by side.
///
/// A lane is held by one piece of work at a time; the others wait in the order in which they came.
final class GroupLanes: Sendable {
    private let waiting = Mutex<[Identifier: [CheckedContinuation<Void, Never>]]>([:])

    /// Runs `body` while holding the lanes of all `groups`.
    ///
    /// Lanes are taken in the order of their names, so that two pieces of work that want several never wait for each other.
    func hold<Result>(
        _ groups: some Sequence<Identifier>,
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async -> Result
    ) async -> Result {
        let groups = Set(groups).sorted()
        for group in groups { await take(group) }
        let result = await body()
        for group in groups { leave(group) }
        return result
    }

    /// How many wait for a lane; nil when nobody holds it.
    func waiting(_ group: Identifier) -> Int? { waiting.withLock { $0[group]?.count } }

    private func take(_ group: Identifier) async {
        await withCheckedContinuation { continuation in
            let isFree = waiting.withLock { waiting in
                guard waiting[group] != nil else {
                    waiting[group] = []
                    return true
                }
                waiting[group]?.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave(_ group: Identifier) {
        let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            guard var queue = waiting[group], !queue.isEmpty else {
                waiting[group] = nil
                return nil
            }
            let next = queue.removeFirst()
            waiting[group] = queue
            return next
        }
        next?.resume()
    }
}
