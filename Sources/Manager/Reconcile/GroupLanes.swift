internal import GroupSPI
internal import Synchronization

/// Keeps what is done to one group in order, and lets different groups go side by side.
///
/// A lane is held by one piece of work at a time; the others wait in the order in which they came. Who wants several lanes holds
/// none while they wait for one, as the work there may take long: it must not be in the way of what does not touch that group.
final class GroupLanes: Sendable {
    private struct Lanes {
        /// Who waits for a lane; it is held while there is an entry.
        var waiting: [Identifier: [CheckedContinuation<Void, Never>]] = [:]
        /// For which lane a piece of work waits, by its label.
        var obstacles: [String: Identifier] = [:]
    }

    private let lanes = Mutex(Lanes())

    /// So often all lanes are left for the sake of one that is taken. From then on the work takes one after the other, and
    /// keeps them: it has waited long enough, and who takes them in order never waits for each other.
    private static let attempts = 8

    /// Runs `body` while holding the lanes of all `groups`.
    ///
    /// - Parameters:
    ///   - label: names the work for ``obstacle(of:)``.
    ///   - body: may leave lanes before its end.
    func hold<Result>(
        _ groups: some Sequence<Identifier>,
        as label: String? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (LaneHold) async -> Result
    ) async -> Result {
        let groups = Set(groups).sorted()
        await take(groups, as: label)
        let hold = LaneHold(groups, self)
        let result = await body(hold)
        hold.leaveAll()
        return result
    }

    func hold<Result>(
        _ groups: some Sequence<Identifier>,
        as label: String? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async -> Result
    ) async -> Result {
        await hold(groups, as: label) { _ in await body() }
    }

    /// How many wait for a lane; nil when nobody holds it.
    func waiting(_ group: Identifier) -> Int? { lanes.withLock { $0.waiting[group]?.count } }

    /// The group for whose lane a piece of work waits; nil when it waits for none.
    func obstacle(of label: String) -> Identifier? { lanes.withLock { $0.obstacles[label] } }

    // MARK: - Lanes

    /// - Parameter groups: in the order of their names.
    private func take(_ groups: [Identifier], as label: String?) async {
        if groups.count > 1 {
            var held: Identifier?
            for _ in 0..<Self.attempts {
                guard let taken = takeFree(groups, holding: held) else { return }
                if let held { leave(held) }
                await take(taken, as: label)
                held = taken
            }
            if let held { leave(held) }
        }
        for group in groups { await take(group, as: label) }
    }

    /// Takes all lanes, or none.
    ///
    /// - Returns: nil when they are taken; else the first one that another holds.
    private func takeFree(_ groups: [Identifier], holding held: Identifier?) -> Identifier? {
        lanes.withLock { lanes in
            if let taken = groups.first(where: { $0 != held && lanes.waiting[$0] != nil }) { return taken }
            for group in groups where group != held { lanes.waiting[group] = [] }
            return nil
        }
    }

    private func take(_ group: Identifier, as label: String?) async {
        await withCheckedContinuation { continuation in
            let isFree = lanes.withLock { lanes in
                guard lanes.waiting[group] != nil else {
                    lanes.waiting[group] = []
                    return true
                }
                lanes.waiting[group]?.append(continuation)
                if let label { lanes.obstacles[label] = group }
                return false
            }
            if isFree { continuation.resume() }
        }
        if let label { lanes.withLock { $0.obstacles[label] = nil } }
    }

    fileprivate func leave(_ group: Identifier) {
        let next = lanes.withLock { lanes -> CheckedContinuation<Void, Never>? in
            guard var queue = lanes.waiting[group], !queue.isEmpty else {
                lanes.waiting[group] = nil
                return nil
            }
            let next = queue.removeFirst()
            lanes.waiting[group] = queue
            return next
        }
        next?.resume()
    }
}

/// Lanes that are held, each until it is left.
final class LaneHold: Sendable {
    private let groups: Mutex<Set<Identifier>>
    private let lanes: GroupLanes

    fileprivate init(_ groups: [Identifier], _ lanes: GroupLanes) {
        self.groups = Mutex(Set(groups))
        self.lanes = lanes
    }

    /// The work at that group is done: the next may begin.
    func leave(_ group: Identifier) {
        if groups.withLock({ $0.remove(group) }) != nil { lanes.leave(group) }
    }

    /// The work touches no other group.
    func leave(allBut kept: some Sequence<Identifier>) {
        let kept = Set(kept)
        for group in groups.withLock({ $0.subtracting(kept) }).sorted() { leave(group) }
    }

    fileprivate func leaveAll() { leave(allBut: []) }
}
