internal import Glibc
internal import Synchronization

/// How much memory the requests of all connections take together: those that have arrived in part, and those that are being
/// answered. Who would need more than there is waits, and is not read from.
///
/// As much as the largest request needs is kept apart, for one connection at a time that could not go on else: so of those
/// that wait for one another one goes on, ends, and makes room. It is the one whose user has least, and of those the one that began first.
/// Small requests never wait.
final class RequestMemory: Sendable {
    private struct Holder {
        let uid: uid_t?
        let order: UInt64
        var held = 0
        /// Told when it may be read from again.
        var wake: (@Sendable () -> Void)?
    }

    private struct State {
        var holders: [UInt64: Holder] = [:]
        var used = 0
        var lastOrder: UInt64 = 0
        var lastNumber: UInt64 = 0
        /// Who has what is kept apart.
        var owner: UInt64?
    }

    /// What a connection may hold that nobody counts.
    static let small = 16 * 1024
    /// What one reading may bring at most.
    static let largestReading = 16 * 1024

    private let shared: Int
    private let largest: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: in bytes, of all requests together.
    ///   - largest: that one request may have.
    init(limit: Int, largest: Int) {
        shared = max(0, limit - largest)
        self.largest = largest
    }

    /// Bytes that are counted now.
    var used: Int { state.withLock(\.used) }

    /// How many connections are not read from, because there is no room.
    var waitingCount: Int { state.withLock { $0.holders.values.count { $0.wake != nil } } }

    func makeNumber() -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    /// Notes what a connection holds from now on, and lets others go on for which there is room then.
    func set(_ held: Int, of number: UInt64, uid: uid_t?) {
        let woken = state.withLock { state -> [@Sendable () -> Void] in
            let before = state.holders[number]?.held ?? 0
            guard held != before else { return [] }
            state.used += held - before
            if held == 0 {
                state.holders[number] = nil
            } else if before == 0 {
                state.lastOrder += 1
                state.holders[number] = Holder(uid: uid, order: state.lastOrder, held: held)
            } else {
                state.holders[number]?.held = held
            }
            guard held < before else { return [] }
            // One of its requests has ended. Its next one has to stand in line.
            if state.owner == number { state.owner = nil }
            return wakeUp(&state)
        }
        for wake in woken { wake() }
    }

    /// Whether a connection may be read from now.
    ///
    /// - Parameter wake: called once when it may be, if it may not be now.
    func mayRead(_ number: UInt64, wake: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard let holder = state.holders[number] else { return true }
            if mayGoOn(number, holder, state) || takeOver(number, &state) { return true }
            state.holders[number]?.wake = wake
            return false
        }
    }

    private func mayGoOn(_ number: UInt64, _ holder: Holder, _ state: State) -> Bool {
        if state.owner == number { return holder.held <= largest }
        return inShared(state) + Self.largestReading <= shared
    }

    private func inShared(_ state: State) -> Int {
        state.used - (state.owner.flatMap { state.holders[$0]?.held } ?? 0)
    }

    private func takeOver(_ number: UInt64, _ state: inout State) -> Bool {
        guard state.owner == nil, let holder = state.holders[number], holder.held <= largest else { return false }
        state.owner = number
        return true
    }

    private func wakeUp(_ state: inout State) -> [@Sendable () -> Void] {
        var woken: [@Sendable () -> Void] = []
        var waiting = state.holders.filter { $0.value.wake != nil }.sorted { $0.value.order < $1.value.order }
        if state.owner == nil, !waiting.isEmpty, inShared(state) + Self.largestReading > shared {
            var heldBy: [uid_t?: Int] = [:]
            for holder in state.holders.values { heldBy[holder.uid, default: 0] += holder.held }
            // The first of those that are least: of one user, the one that began first.
            let next = waiting.indices.min { left, right in
                let (left, right) = (waiting[left].value, waiting[right].value)
                return (heldBy[left.uid] ?? 0, left.order) < (heldBy[right.uid] ?? 0, right.order)
            }
            if let next, takeOver(waiting[next].key, &state), let wake = waiting[next].value.wake {
                state.holders[waiting[next].key]?.wake = nil
                woken.append(wake)
                waiting.remove(at: next)
            }
        }
        var room = shared - inShared(state)
        for (number, holder) in waiting where room >= Self.largestReading {
            room -= Self.largestReading
            state.holders[number]?.wake = nil
            if let wake = holder.wake { woken.append(wake) }
        }
        return woken
    }
}

/// What one connection holds of ``RequestMemory``. Lives on its event loop.
final class RequestAccount {
    private let memory: RequestMemory
    private let number: UInt64
    private let uid: uid_t?
    private var counted = 0

    /// Bytes of a request that has not arrived as a whole, and of those that wait for their turn.
    var arriving = 0 { didSet { note() } }
    /// Bytes of those that are being answered.
    var inFlight = 0 { didSet { note() } }

    init(_ memory: RequestMemory, uid: uid_t?) {
        self.memory = memory
        self.uid = uid
        number = memory.makeNumber()
    }

    private func note() {
        let held = arriving + inFlight
        let count = held > RequestMemory.small ? held : 0
        guard count != counted else { return }
        counted = count
        memory.set(count, of: number, uid: uid)
    }

    /// It holds so little that nobody counts it, and may be read from.
    var isSmall: Bool { counted == 0 }

    /// Whether the connection may be read from; `wake` is called later if not.
    func mayRead(wake: @escaping @Sendable () -> Void) -> Bool { memory.mayRead(number, wake: wake) }
}
