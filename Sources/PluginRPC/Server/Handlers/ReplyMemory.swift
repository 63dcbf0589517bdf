internal import Glibc
internal import GroupSPI
internal import NIOCore
internal import Synchronization

/// How much memory the replies of all connections take together, from when they are encoded until their readers have taken them.
///
/// A reply is encoded when there is room for it; alone, every reply fits. A call whose reply is likely to be long is not made
/// before: what it gives would take as much. Who waits goes on in an order that keeps nobody out: first the user, and then the
/// connection, with the fewest unread bytes; else the oldest and the newest of those that wait take turns, so that somebody who comes
/// now need not wait for all who came before and do not read. As long as somebody waits, a reader that takes nothing loses its place.
final class ReplyMemory: Sendable {
    /// Calls that may give much. What one of them takes tells nothing of another's.
    enum Kind: Hashable, Sendable {
        /// The groups, as the plugin gives them.
        case groups
        /// The groups, as they are stored.
        case stored
        /// What a plugin says about one group.
        case description(Identifier)
    }

    /// What waits for room.
    private enum Want {
        case call(Kind)
        case reply(Int)
    }

    private struct Waiter {
        let number: UInt64
        let want: Want
        /// Told how much was set aside for it.
        let goOn: @Sendable (Int) -> Void

        var isReply: Bool {
            if case .reply = want { true } else { false }
        }

        func isCall(of kinds: Set<Kind>) -> Bool {
            if case .call(let kind) = want { kinds.contains(kind) } else { false }
        }
    }

    private struct Holder {
        let uid: uid_t?
        let look: @Sendable () -> Void
        var held = 0
    }

    private struct State {
        var holders: [UInt64: Holder] = [:]
        /// In the order in which they came.
        var waiters: [Waiter] = []
        var used = 0
        /// How long the last replies of a kind were; nil: never heard of any, or they are short.
        var expected: [Kind: Int] = [:]
        /// What the calls that have been made are expected to give.
        var underWay: [Kind: Int] = [:]
        var takesNewest = false
        var lastNumber: UInt64 = 0
        var lastLook = NIODeadline.uptimeNanoseconds(0)
    }

    /// A reply of at most so many bytes, to a client that reads, is not counted.
    static let small = 32 * 1024
    /// Of so many groups it is known that their descriptions are long.
    private static let mostKinds = 1024

    private let limit: Int
    private let largest: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: in bytes, of all replies together.
    ///   - largest: what a reply may be of which nothing is known yet.
    init(limit: Int, largest: Int) {
        self.limit = limit
        self.largest = largest
    }

    /// Bytes that are counted now.
    var used: Int { state.withLock(\.used) }

    /// How many calls and replies wait for room.
    var waitingCount: Int { state.withLock(\.waiters.count) }

    func makeNumber() -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    /// A connection is there.
    ///
    /// - Parameter look: has its handler look whether its client reads.
    func add(_ number: UInt64, uid: uid_t?, look: @escaping @Sendable () -> Void) {
        state.withLock { $0.holders[number] = Holder(uid: uid, look: look) }
    }

    /// A connection is gone, and so is what waits of it. What it holds is given back by itself.
    func leave(_ number: UInt64) {
        goOn { state in
            state.waiters.removeAll { $0.number == number }
            if state.holders[number]?.held == 0 { state.holders[number] = nil }
        }
    }

    // MARK: - Calls

    /// Whether a call may be made now; its ``end(_:expected:size:)`` must follow.
    ///
    /// - Parameter goOn: called once when it may be, if it may not be now.
    /// - Returns: what was set aside for it; nil when it has to wait.
    func begin(_ kind: Kind, of number: UInt64, goOn: @escaping @Sendable (Int) -> Void) -> Int? {
        state.withLock { state in
            let stands = state.waiters.contains { $0.isReply || $0.isCall(of: [kind]) }
            if !stands, let size = beginCall(kind, &state) { return size }
            state.waiters.append(Waiter(number: number, want: .call(kind), goOn: goOn))
            return nil
        }
    }

    /// A call has been answered.
    ///
    /// - Parameter size: of its reply; nil: it failed, which tells nothing.
    func end(_ kind: Kind, expected: Int, size: Int?) {
        goOn { state in
            let left = (state.underWay[kind] ?? 0) - expected
            state.underWay[kind] = left > 0 ? left : nil
            if let size { expect(size, of: kind, &state) }
        }
    }

    private func expect(_ size: Int, of kind: Kind, _ state: inout State) {
        guard case .description = kind else {
            state.expected[kind] = size
            return
        }
        if size <= Self.small {
            state.expected[kind] = nil
        } else if state.expected.count < Self.mostKinds {
            state.expected[kind] = size
        }
    }

    private func expectation(_ kind: Kind, _ state: State) -> Int {
        if let expected = state.expected[kind] { return expected }
        return if case .description = kind { 0 } else { largest }
    }

    private func beginCall(_ kind: Kind, _ state: inout State) -> Int? {
        let size = expectation(kind, state)
        guard size > Self.small else { return 0 }
        let underWay = state.underWay[kind] ?? 0
        guard underWay == 0 || underWay + size <= limit / 2, fits(size, state) else { return nil }
        state.underWay[kind] = underWay + size
        return size
    }

    // MARK: - Replies

    private func fits(_ size: Int, _ state: State) -> Bool { state.used == 0 || state.used + size <= limit }

    /// Takes room for a reply, which ``give(_:of:)`` gives back.
    ///
    /// - Parameter goOn: called once when there is room, if there is none now.
    /// - Returns: false when it has to wait.
    func take(_ size: Int, of number: UInt64, goOn: @escaping @Sendable (Int) -> Void) -> Bool {
        state.withLock { state in
            // What already waits with its answer comes first.
            if !state.waiters.contains(where: \.isReply), fits(size, state) {
                add(size, to: number, &state)
                return true
            }
            state.waiters.append(Waiter(number: number, want: .reply(size), goOn: goOn))
            return false
        }
    }

    private func add(_ size: Int, to number: UInt64, _ state: inout State) {
        state.used += size
        state.holders[number]?.held += size
    }

    /// The reply is a little longer than it was expected to be.
    func add(_ size: Int, to number: UInt64) { state.withLock { add(size, to: number, &$0) } }

    /// A reply was taken, or its connection is gone.
    func give(_ size: Int, of number: UInt64, isGone: Bool) {
        goOn { state in
            state.used -= size
            state.holders[number]?.held -= size
            if isGone, state.holders[number]?.held == 0 { state.holders[number] = nil }
        }
    }

    // MARK: - Waiting

    /// Somebody waits: has those looked at that have something to read.
    func press() {
        let looks = state.withLock { state -> [@Sendable () -> Void] in
            let now = NIODeadline.now()
            guard !state.waiters.isEmpty, now - state.lastLook >= .milliseconds(50) else { return [] }
            state.lastLook = now
            return state.holders.values.filter { $0.held > 0 }.map(\.look)
        }
        for look in looks { look() }
    }

    private func goOn(after change: (inout State) -> Void) {
        let ready = state.withLock { state in
            change(&state)
            return wakeUp(&state)
        }
        for goOn in ready { goOn() }
    }

    private func wakeUp(_ state: inout State) -> [() -> Void] {
        var ready: [() -> Void] = []
        while !state.waiters.isEmpty {
            // A call is not made as long as a reply waits with what another has given.
            let isReply = state.waiters.contains(where: \.isReply)
            var full: Set<Kind> = []
            var next: (index: Int, size: Int)?
            while next == nil, let index = first(state, where: { $0.isReply == isReply && !$0.isCall(of: full) }) {
                switch state.waiters[index].want {
                case .reply(let size):
                    guard fits(size, state) else { return ready }
                    add(size, to: state.waiters[index].number, &state)
                    next = (index, size)
                case .call(let kind):
                    if let size = beginCall(kind, &state) { next = (index, size) } else { full.insert(kind) }
                }
            }
            guard let next else { return ready }
            state.takesNewest.toggle()
            let goOn = state.waiters.remove(at: next.index).goOn
            ready.append { goOn(next.size) }
        }
        return ready
    }

    /// Whose turn it is among some of those that wait.
    private func first(_ state: State, where isMeant: (Waiter) -> Bool) -> Int? {
        var heldBy: [uid_t?: Int] = [:]
        for holder in state.holders.values where holder.held > 0 { heldBy[holder.uid, default: 0] += holder.held }
        var best: (index: Int, held: (Int, Int))?
        for (index, waiter) in state.waiters.enumerated() where isMeant(waiter) {
            let holder = state.holders[waiter.number]
            let held = (heldBy[holder?.uid] ?? 0, holder?.held ?? 0)
            if let best, best.held < held || (best.held == held && !state.takesNewest) { continue }
            best = (index, held)
        }
        return best?.index
    }
}
