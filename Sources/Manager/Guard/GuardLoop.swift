internal import Glibc
public import GroupSPI
public import Logging
internal import Platform

/// The guard's own side: waits for orders, for the deadline, and for the end of the manager.
public struct GuardLoop: Sendable {
    /// What wakes the guard up.
    public enum Event: Sendable {
        case message(GuardMessage)
        /// The manager has ended.
        case endOfFile
        /// Somebody wants the guard to end: it lets the groups go first.
        case terminate
    }

    private let release: GroupRelease
    private let knowledge: any GuardKnowledge
    private let clock: any ManagerClock
    private let logger: Logger
    private let holdPlace: @Sendable () -> Void
    private let acknowledge: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - plugin: the group plugin.
    ///   - knowledge: what the manager has said by the moment at which it is asked for.
    ///   - clock: counts the time.
    ///   - timeout: how long one call to the plugin may take.
    ///   - patience: for so long it goes on after the end of the manager, without getting on.
    ///   - isAwaited: whether the guard of another manager waits for this one's end.
    ///   - holdPlace: keeps the guard of another manager waiting, also when the file is gone at which it waits.
    ///   - logger: takes what happens.
    ///   - acknowledge: sends a message's number back.
    public init(
        plugin: any GroupPlugin,
        knowledge: any GuardKnowledge,
        clock: any ManagerClock,
        timeout: Duration,
        patience: Duration,
        isAwaited: @escaping @Sendable () -> Bool,
        holdPlace: @escaping @Sendable () -> Void = {},
        logger: Logger,
        acknowledge: @escaping @Sendable (Int) -> Void
    ) {
        self.release = GroupRelease(
            plugin: plugin,
            clock: clock,
            timeout: timeout,
            patience: patience,
            logger: logger,
            isAwaited: isAwaited
        )
        self.knowledge = knowledge
        self.clock = clock
        self.logger = logger
        self.holdPlace = holdPlace
        self.acknowledge = acknowledge
    }

    /// After the end of the manager. The next leader on this host waits for it: short, but longer than a call takes from
    /// one socket's buffer to the plugin.
    static let secondLook = Duration.milliseconds(50)

    /// Runs until the manager has ended and its groups are free, or until it has had its time.
    public func run(_ events: AsyncStream<Event>) async {
        // Waiting for the deadline, and letting go after it: ends when a new order comes.
        var watch: Task<Void, Never>?
        // Not a child of whoever runs this, so it is not cancelled with that: it would go on behind it, for ever where no time passes.
        defer { watch?.cancel() }
        for await event in events {
            switch event {
            case .message(let message):
                watch?.cancel()
                await watch?.value
                watch = knowledge.deadline == nil ? nil : Task { await freeWhenDue() }
                holdPlace()
                acknowledge(message.number)
            case .endOfFile, .terminate:
                watch?.cancel()
                await watch?.value
                guard knowledge.deadline != nil else { return }
                holdPlace()
                await freeForGood()
                return
            }
        }
    }

    /// The manager has ended and cannot let its groups go. What cannot be let go in the end is said, and left to the next manager
    /// on this host, which must be able to start.
    private func freeForGood() async {
        logger.warning("the manager has ended while leading; letting its groups go")
        let groups = knowledge.groups
        var outcome = await release.run(groups)
        if outcome == .free {
            // What the manager had sent in its last moment may have reached the plugin after this look.
            try? await clock.sleep(until: clock.now() + Self.secondLook)
            outcome = await release.run(groups, looksFirst: true)
        }
        switch outcome {
        case .free, .interrupted: break
        case .held(let groups):
            logger.error(
                "groups still held by the plugin; left to the next manager on this host",
                metadata: ["groups": "\(groups.sorted().joined(separator: ","))"]
            )
        case .unknown:
            logger.error(
                "not known whether the plugin holds groups; left to the next manager on this host",
                metadata: ["groups": "\(groups.sorted().joined(separator: ","))"]
            )
        }
    }

    /// Whether the deadline has passed that the manager has set last. This guard may have stood still for long: what wakes it up
    /// may be a deadline of long ago, and the orders that moved it may wait to be taken up.
    private var isDue: Bool { knowledge.deadline.map { clock.now() >= $0 } ?? false }

    private func freeWhenDue() async {
        while let deadline = knowledge.deadline {
            guard (try? await clock.sleep(until: deadline)) != nil else { return }
            guard isDue else { continue }
            logger.warning("the manager stands still past its deadline; letting its groups go")
            let outcome = await release.run(knowledge.groups) { isDue }
            if outcome == .free || Task.isCancelled { return }
        }
    }

    /// Reads orders from a pipe, on a thread of its own.
    public static func messages(from descriptor: Int32) -> (events: AsyncStream<Event>, post: @Sendable (Event) -> Void)
    {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
        let reader = PipeReader(descriptor: descriptor, continuation: continuation)
        do throws(SystemError) {
            try DetachedThread.start { reader.run() }
        } catch {
            continuation.yield(.endOfFile)
        }
        return (stream, { continuation.yield($0) })
    }
}

private final class PipeReader: Sendable {
    let descriptor: Int32
    let continuation: AsyncStream<GuardLoop.Event>.Continuation

    init(descriptor: Int32, continuation: AsyncStream<GuardLoop.Event>.Continuation) {
        self.descriptor = descriptor
        self.continuation = continuation
    }

    func run() {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                continuation.yield(.endOfFile)
                return
            }
            pending += chunk[..<count]
            while pending.count >= GuardMessage.size {
                continuation.yield(.message(GuardMessage(pending.prefix(GuardMessage.size))))
                pending.removeFirst(GuardMessage.size)
            }
        }
    }
}
