internal import GroupSPI
internal import Synchronization

/// How many calls of users may be at the plugin at one time, shared out among the groups that they are about.
///
/// A plugin takes so many calls and no more, and one that hangs at one group would soon hold all of them. So there is a limit for
/// users' questions, which leaves room for everything else: what changes a group, what a leader tells its plugin, and letting
/// go. And no group may have more than half of what the others have left.
final class CallShares: Sendable {
    private struct State {
        var used = 0
        var usedBy: [Identifier: Int] = [:]
        /// Of each group, in the order in which they came.
        var waiting: [Identifier: [Ticket]] = [:]
        /// The groups for which somebody waits; the one that was served last comes last.
        var order: [Identifier] = []

        /// - Returns: false when the group has its share already, or nothing is left.
        mutating func grant(_ group: Identifier, _ total: Int) -> Bool {
            let own = usedBy[group] ?? 0
            guard used < total, own < max(1, (total - used) / 2) else { return false }
            used += 1
            usedBy[group] = own + 1
            return true
        }

        mutating func giveBack(_ group: Identifier) {
            used -= 1
            let left = (usedBy[group] ?? 1) - 1
            usedBy[group] = left > 0 ? left : nil
        }
    }

    private let total: Int
    private let share: @Sendable (Identifier) -> Identifier
    private let state = Mutex(State())

    /// - Parameters:
    ///   - total: how many at one time.
    ///   - share: of whose share a question about a group is: that group's.
    init(_ total: Int, of share: @escaping @Sendable (Identifier) -> Identifier = { $0 }) {
        self.total = max(1, total)
        self.share = share
    }

    /// Runs `body` with a share of a group's.
    ///
    /// - Parameters:
    ///   - group: empty for a question about all groups.
    ///   - deadline: for how long to wait for the share.
    /// - Returns: nil when there was none in time, or the caller has given up: then the body has not run.
    func run<Result>(
        for group: Identifier,
        until deadline: BootInstant,
        on clock: any ManagerClock,
        _ body: () async -> Result
    ) async -> Result? {
        let group = share(group)
        guard await take(group, until: deadline, on: clock) else { return nil }
        let result = await body()
        leave(group)
        return result
    }

    /// How many wait for a share of a group's.
    func waiting(for group: Identifier) -> Int { state.withLock { $0.waiting[group]?.count ?? 0 } }

    private func take(_ group: Identifier, until deadline: BootInstant, on clock: any ManagerClock) async -> Bool {
        let ticket = state.withLock { state -> Ticket? in
            if state.waiting[group] == nil, state.grant(group, total) { return nil }
            let ticket = Ticket()
            if state.waiting[group] == nil { state.order.append(group) }
            state.waiting[group, default: []].append(ticket)
            return ticket
        }
        guard let ticket else { return true }
        // Not a child task: it ends when there is an answer.
        let timer = Task {
            if (try? await clock.sleep(until: deadline)) != nil { _ = ticket.settle(false) }
        }
        let isGranted = await withTaskCancellationHandler {
            await ticket.answer()
        } onCancel: {
            _ = ticket.settle(false)
        }
        timer.cancel()
        if !isGranted { forget(ticket, group) }
        return isGranted
    }

    private func forget(_ ticket: Ticket, _ group: Identifier) {
        state.withLock { state in
            guard let left = state.waiting[group]?.filter({ $0 !== ticket }) else { return }
            state.waiting[group] = left.isEmpty ? nil : left
            if left.isEmpty { state.order.removeAll { $0 == group } }
        }
    }

    private func leave(_ group: Identifier) {
        let served = state.withLock { state in
            state.giveBack(group)
            return serve(&state)
        }
        for ticket in served { ticket.wake() }
    }

    /// Gives out what is free, to one group after the other.
    private func serve(_ state: inout State) -> [Ticket] {
        var served: [Ticket] = []
        for group in state.order {
            guard var queue = state.waiting[group] else { continue }
            var isServed = false
            while let ticket = queue.first, !isServed {
                guard state.grant(group, total) else { break }
                queue.removeFirst()
                // It may have given up, and not come round to saying so.
                isServed = ticket.settle(true, wakes: false)
                if isServed { served.append(ticket) } else { state.giveBack(group) }
            }
            state.waiting[group] = queue.isEmpty ? nil : queue
            if isServed || queue.isEmpty { state.order.removeAll { $0 == group } }
            if isServed, !queue.isEmpty { state.order.append(group) }
        }
        return served
    }
}

/// One who waits for a share, or is told that there is none.
private final class Ticket: Sendable {
    private struct State {
        var isGranted: Bool?
        var continuation: CheckedContinuation<Bool, Never>?
    }

    private let state = Mutex(State())

    /// - Parameter wakes: at once, and not later by ``wake()``.
    /// - Returns: false when it was settled before.
    func settle(_ isGranted: Bool, wakes: Bool = true) -> Bool {
        let isFirst = state.withLock { state in
            guard state.isGranted == nil else { return false }
            state.isGranted = isGranted
            return true
        }
        if isFirst, wakes { wake() }
        return isFirst
    }

    func wake() {
        let waiting = state.withLock { state in
            defer { state.continuation = nil }
            return state.isGranted.map { ($0, state.continuation) }
        }
        if let (isGranted, continuation) = waiting { continuation?.resume(returning: isGranted) }
    }

    func answer() async -> Bool {
        await withCheckedContinuation { continuation in
            let isGranted = state.withLock { state in
                if state.isGranted == nil { state.continuation = continuation }
                return state.isGranted
            }
            if let isGranted { continuation.resume(returning: isGranted) }
        }
    }
}
