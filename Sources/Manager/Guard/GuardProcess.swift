internal import CLinux
internal import Glibc
public import GroupSPI
public import Logging
internal import Platform
internal import Synchronization

/// A guard in a process of its own, at the other end of two pipes.
///
/// The guard holds a lock for as long as it lives. A guard of an earlier run on this host that is still letting groups go
/// holds that lock, and this one becomes ready only after it: a free never lands after a watch.
public final class GuardProcess: OrphanGuard {
    private struct State {
        var input: Int32 = -1
        var pid: pid_t = 0
        var number = 0
        var acknowledged = -1
        /// When the first message was sent that it has not obeyed.
        var unansweredSince: BootInstant?
        var deadline: BootInstant?
        var isStopped = false
        var waiting: [(number: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let command: [String]
    private let logger: Logger
    private let inhibit: @Sendable (String?) -> Void
    /// What each guard finds, the first as well as one that takes its place.
    private let board: GuardBoard
    private let patience: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - command: the guard's program and arguments.
    ///   - patience: a guard that obeys nothing for so long stands still, and another takes its place.
    ///   - logger: takes what happens.
    ///   - inhibit: told why this replica may not lead while there is no guard; nil when there is one.
    /// - Throws: ``SettingsError`` when the system gives no memory for what a guard has to know.
    public init(
        command: [String],
        patience: Duration,
        logger: Logger,
        inhibit: @escaping @Sendable (String?) -> Void
    ) throws(SettingsError) {
        board = try GuardBoard()
        self.command = command
        self.patience = patience
        self.logger = logger
        self.inhibit = inhibit
    }

    /// Starts the guard, and again whenever it ends, until ``stop()``.
    public func start() {
        inhibit("waits for its orphan guard; the guard of an earlier run on this host has not ended")
        // A plain thread: it waits in `read` and `waitpid`.
        do throws(SystemError) {
            try DetachedThread.start { self.supervise() }
        } catch {
            inhibit("cannot start the thread of the orphan guard: \(error.reason)")
        }
    }

    /// In a guard's own process: what its manager has left for it.
    ///
    /// - Returns: nil in a process that no manager has started.
    public static func knowledge() -> (any GuardKnowledge)? { GuardBoard.Reader(GuardBoard.inheritedDescriptor) }

    // MARK: - Orders

    public func arm(until deadline: BootInstant) { send(deadline) }

    public func postpone(until instant: BootInstant) {
        state.withLock { state in
            guard let deadline = state.deadline, deadline < instant else { return }
            state.deadline = instant
            // It looks there before it acts; it need not be woken up for that.
            board.set(instant)
        }
    }

    public func disarm() { send(nil) }

    public func note(_ group: Identifier) {
        guard let code = board.add(group) else { return }
        logger.error(
            "orphan guard not told of a group",
            metadata: ["group": "\(group)", "error": "\(String(cString: strerror(code)))"]
        )
    }

    public func forget(_ group: Identifier) { board.remove(group) }

    public func forgetAll() { board.removeAll() }

    public func isReady() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.acknowledged >= state.number || state.isStopped { return true }
                state.waiting.append((state.number, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    public func stop() {
        let waiting = state.withLock { state in
            state.isStopped = true
            if state.input >= 0 { close(state.input) }
            state.input = -1
            defer { state.waiting.removeAll() }
            return state.waiting
        }
        for entry in waiting { entry.continuation.resume() }
    }

    private func send(_ deadline: BootInstant?) {
        let hasStood = state.withLock { state in
            let hasStood = endIfStanding(&state, BootClock().now())
            state.number += 1
            state.deadline = deadline
            // First where it is looked up, then what wakes the guard up.
            board.set(deadline)
            Self.write(GuardMessage(number: state.number, deadline: deadline), to: state.input)
            return hasStood
        }
        if hasStood {
            logger.warning("orphan guard stands still; ending it", metadata: ["for": "\(patience.goText)"])
        }
    }

    /// Nobody would free the groups if this process were killed now. One that waits for the guard of an earlier run has not begun.
    private func endIfStanding(_ state: inout State, _ now: BootInstant) -> Bool {
        guard state.acknowledged >= 0, state.pid > 0 else { return false }
        if state.acknowledged >= state.number { state.unansweredSince = now }
        guard let since = state.unansweredSince, now - since >= patience else { return false }
        state.unansweredSince = nil
        return kill(state.pid, SIGKILL) == 0
    }

    private static func write(_ message: GuardMessage, to descriptor: Int32) {
        guard descriptor >= 0 else { return }
        // Sixteen bytes go into a pipe whole or not at all. A full pipe means a guard that stands still; when it goes on it finds
        // what was not sent on the board.
        message.bytes.withUnsafeBytes { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    // MARK: - The process

    private func supervise() {
        /// When the one that takes another's place has to have obeyed, and the manager may lead until then.
        var isDue: BootInstant?
        while !state.withLock(\.isStopped) {
            do {
                let (pid, output) = try spawn()
                read(from: output, hinderingAt: isDue)
                close(output)
                // From here on the number may be another process's.
                state.withLock { $0.pid = 0 }
                var status: Int32 = 0
                while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            } catch {
                isDue = nil
                inhibit("cannot start the orphan guard: \(error)")
                logger.error("orphan guard not started", metadata: ["error": "\(error)"])
            }
            let (ended, wasReady) = state.withLock { state in
                if state.input >= 0 { close(state.input) }
                state.input = -1
                defer { (state.acknowledged, state.unansweredSince) = (-1, nil) }
                return (state.isStopped, state.acknowledged >= 0)
            }
            guard !ended else { return }
            logger.warning("orphan guard ended; starting another")
            // One that was there finds on the board what the other knew, and nobody else's guard holds the lock: it is there in a
            // moment. So a leader goes on meanwhile, and only for so long.
            if wasReady {
                isDue = BootClock().now() + patience / Self.replacementPart
            } else {
                isDue = nil
                inhibit(Self.hasEnded)
            }
            var pause = timespec(tv_sec: 0, tv_nsec: wasReady ? 20_000_000 : 200_000_000)
            nanosleep(&pause, nil)
        }
    }

    private static let hasEnded = "its orphan guard has ended"
    /// Of a ttl.
    private static let replacementPart = 3

    /// Reads what the guard has obeyed, until it ends.
    ///
    /// - Parameter due: if it has obeyed nothing by then, this replica may not lead; nil: that is so already.
    private func read(from output: Int32, hinderingAt due: BootInstant?) {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256)
        var due = due
        while true {
            if let instant = due, state.withLock(\.acknowledged) < 0 {
                let rest = (instant - BootClock().now()).milliseconds
                var entry = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
                if rest > 0, poll(&entry, 1, Int32(clamping: rest)) <= 0 { continue }
                if rest <= 0 {
                    due = nil
                    inhibit(Self.hasEnded)
                    continue
                }
            }
            let count = Glibc.read(output, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            pending += chunk[..<count]
            while pending.count >= 8 {
                acknowledge(GuardMessage.decode(pending.prefix(8)))
                pending.removeFirst(8)
            }
        }
    }

    private func acknowledge(_ number: Int) {
        let (isFirst, ready) = state.withLock { state in
            let isFirst = state.acknowledged < 0
            state.acknowledged = number
            state.unansweredSince = BootClock().now()
            let ready = state.waiting.filter { $0.number <= number }
            state.waiting.removeAll { $0.number <= number }
            return (isFirst, ready)
        }
        for entry in ready { entry.continuation.resume() }
        if isFirst { inhibit(nil) }
    }

    private func spawn() throws(SettingsError) -> (pid: pid_t, output: Int32) {
        let toGuard = try makePipe()
        let fromGuard = try makePipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toGuard.reading, 0)
        posix_spawn_file_actions_adddup2(&actions, fromGuard.writing, 1)
        posix_spawn_file_actions_adddup2(&actions, board.memory, GuardBoard.inheritedDescriptor)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A session of its own: a key pressed at the manager's terminal, or a kill of its process group, is not for it.
        posix_spawnattr_setflags(&attributes, clinux_spawn_setsid)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, command[0], &actions, &attributes, &arguments, environ)
        close(toGuard.reading)
        close(fromGuard.writing)
        guard code == 0 else {
            close(toGuard.writing)
            close(fromGuard.reading)
            throw SettingsError(message: "\(command[0]): \(String(cString: strerror(code)))")
        }
        // Never wait for a guard that does not read.
        _ = fcntl(toGuard.writing, F_SETFL, fcntl(toGuard.writing, F_GETFL) | O_NONBLOCK)
        state.withLock { state in
            state.input = toGuard.writing
            state.pid = pid
            // A guard that takes the place of another has to know what that one knew.
            Self.write(GuardMessage(number: state.number, deadline: state.deadline), to: state.input)
            if state.isStopped {
                close(state.input)
                state.input = -1
            }
        }
        return (pid, fromGuard.reading)
    }

    private func makePipe() throws(SettingsError) -> (reading: Int32, writing: Int32) {
        var reading: Int32 = -1
        var writing: Int32 = -1
        let code = clinux_pipe_cloexec(&reading, &writing)
        guard code == 0 else {
            throw SettingsError(
                message:
                    "cannot create a pipe: \(String(cString: strerror(code)))"
            )
        }
        return (reading, writing)
    }
}
