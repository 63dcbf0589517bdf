import GroupSPI
import Replication
import Store
import Synchronization

/// A register in memory, which misbehaves as told: what every register has to be a match for, in its simplest form.
final class MemoryRegister: ReplicatedRegister {
    /// What is to happen at one write, in place of a plain answer.
    enum Turn: Sendable {
        /// Takes place, and nobody is told.
        case appliedThenDrop
        /// Does not take place (yet), and nobody is told.
        case held
        /// The version rises before the write is looked at.
        case versionRises
        /// Somebody else's snapshot comes before it.
        case foreign(Snapshot)
        /// Takes place, nobody is told, and somebody else writes over it.
        case appliedThenOverwritten(Snapshot)
    }

    struct Content: Sendable {
        var snapshot: Snapshot?
        var requests = RequestQueue()

        var tag: ContentTag { MemoryRegister.tag(snapshot) }
        var requestsTag: ContentTag { MemoryRegister.tag(requests) }
    }

    struct State {
        var version: UInt64 = 10
        var content = Content()
        var turns: [Turn] = []
        var held: [(version: UInt64, content: Content)] = []
        /// What a cut-off register goes on telling.
        var past: (version: UInt64, content: Content)?
        var writes = 0
    }

    let state = Mutex(State())
    let limits = RegisterLimits(snapshot: 4000)
    private let settings: SwapSettings
    private static let largestQueue = 3

    init(_ settings: SwapSettings) { self.settings = settings }

    let terminology = RegisterTerminology(
        cluster: "bench",
        server: "the memory",
        place: "the register",
        content: "the register's snapshot",
        requests: "the register's requests",
        absence: "the register is empty",
        advice: "Look at the test.",
        log: { _, _ in }
    )

    private static func tag(_ snapshot: Snapshot?) -> ContentTag {
        ContentTag(snapshot.map { "\($0.sequence) \($0.newest) \($0.hash) \($0.lease.epoch)" } ?? "")
    }

    private static func tag(_ requests: RequestQueue) -> ContentTag {
        ContentTag(requests.ids.sorted().joined(separator: " "))
    }

    func read() async throws(RegisterError) -> RegisterState { show(look()) }

    private func look() -> (version: UInt64, content: Content) {
        state.withLock { $0.past ?? (version: $0.version, content: $0.content) }
    }

    private func show(_ seen: (version: UInt64, content: Content)) -> RegisterState {
        RegisterState(
            cluster: "x",
            version: seen.version,
            content: seen.content.snapshot.map { .ours($0) } ?? .absent,
            tag: seen.content.tag,
            size: size(seen.content.snapshot),
            requests: RequestReading(seen.content.requests, tag: seen.content.requestsTag)
        )
    }

    private func size(_ snapshot: Snapshot?) -> Int {
        snapshot?.groups.values.reduce(1) { $0 + $1.spec.properties.bytes.count } ?? 0
    }

    func swap(
        _ snapshot: Snapshot,
        over known: RegisterState,
        taking: Set<String>,
        within limit: Duration,
        while mayWrite: @escaping @Sendable () -> Bool
    ) async throws(RegisterError) -> RegisterWrite {
        let size = size(snapshot)
        guard size <= limits.snapshot else { throw RegisterError(.tooLarge, "\(size) bytes") }
        let tag = Self.tag(snapshot)
        let version = try await replace(\.tag, from: known.tag, to: tag, within: limit, while: mayWrite) {
            content throws(RegisterError) in
            guard content.requests.ids.isSuperset(of: taking) else { throw RegisterError(.conflict, "taken back") }
            var next = Content(snapshot: snapshot, requests: content.requests)
            next.requests.remove(taking)
            return next
        }
        return RegisterWrite(version: version, tag: tag, size: size)
    }

    func swap(
        _ requests: RequestQueue,
        over known: RegisterState,
        within limit: Duration
    ) async throws(RegisterError) -> RegisterWrite {
        try validate(requests)
        let tag = Self.tag(requests)
        let next: (Content) throws(RegisterError) -> Content = { Content(snapshot: $0.snapshot, requests: requests) }
        let version = try await replace(
            \.requestsTag,
            from: known.requests.tag,
            to: tag,
            within: limit,
            while: { true },
            by: next
        )
        return RegisterWrite(version: version, tag: tag, size: requests.ids.count)
    }

    func validate(_ requests: RequestQueue) throws(RegisterError) {
        guard requests.ids.count <= Self.largestQueue else { throw RegisterError(.tooLarge, "too many requests") }
    }

    private func replace(
        _ tag: KeyPath<Content, ContentTag>,
        from old: ContentTag,
        to new: ContentTag,
        within limit: Duration,
        while mayWrite: @Sendable () -> Bool,
        by next: (Content) throws(RegisterError) -> Content
    ) async throws(RegisterError) -> ResourceVersion {
        let swap = CompareAndSwap(
            of: terminology.content,
            terminology,
            settings: settings,
            clock: ReplicationClock()
        )
        return try await swap.run(
            from: old.text,
            to: new.text,
            within: limit,
            while: mayWrite,
            read: { () throws(RegisterError) in
                let seen = look()
                return CompareAndSwap.Reading(
                    seen.content,
                    version: seen.version,
                    text: seen.content[keyPath: tag].text
                )
            },
            prepare: next,
            write: { (content: Content, version: UInt64) throws(RegisterError) in try write(content, version) }
        )
    }

    // MARK: - What happens to it

    private static let dropped = RegisterError(.unavailable, "no answer", leavesOutcomeOpen: true)

    private func write(_ content: Content, _ version: UInt64) throws(RegisterError) {
        let isTold: Result<Void, RegisterError> = state.withLock { state in
            state.writes += 1
            switch state.turns.isEmpty ? nil : state.turns.removeFirst() {
            case nil: return Self.apply(content, version, &state)
            case .appliedThenDrop:
                _ = Self.apply(content, version, &state)
                return .failure(Self.dropped)
            case .held:
                state.held.append((version, content))
                return .failure(Self.dropped)
            case .versionRises:
                state.version += 7
                return Self.apply(content, version, &state)
            case .foreign(let snapshot):
                Self.put(snapshot, &state)
                return Self.apply(content, version, &state)
            case .appliedThenOverwritten(let snapshot):
                _ = Self.apply(content, version, &state)
                Self.put(snapshot, &state)
                return .failure(Self.dropped)
            }
        }
        try isTold.get()
    }

    private static func apply(_ content: Content, _ version: UInt64, _ state: inout State) -> Result<
        Void, RegisterError
    > {
        guard version == state.version else { return .failure(RegisterError(.lostRace, "out of sequence")) }
        state.content = content
        state.version += 3
        return .success(())
    }

    private static func put(_ snapshot: Snapshot, _ state: inout State) {
        state.content.snapshot = snapshot
        state.version += 1
    }

    func applyHeld() {
        state.withLock { state in
            for held in state.held { _ = Self.apply(held.content, held.version, &state) }
            state.held = []
        }
    }
}
