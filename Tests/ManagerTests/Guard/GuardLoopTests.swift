import Glibc
import GroupSPI
import Logging
import Synchronization
import Testing

@testable import Manager

struct GuardLoopTests {
    /// A guard that watches over a plugin with two groups.
    private final class Bench: Sendable {
        let clock = TestClock()
        let plugin: FakePlugin
        let acknowledged = Mutex<[Int]>([])
        let board = Board()
        let hasEnded = Mutex(false)
        let isAwaited = Mutex(false)
        let post: @Sendable (GuardLoop.Event) -> Void
        private let events: AsyncStream<GuardLoop.Event>

        init() {
            plugin = FakePlugin(clock: clock)
            plugin.put(.named("a"), .named("b"))
            let (events, continuation) = AsyncStream.makeStream(of: GuardLoop.Event.self)
            self.events = events
            post = { continuation.yield($0) }
        }

        func run() async {
            let loop = GuardLoop(
                plugin: plugin,
                knowledge: board,
                clock: clock,
                timeout: .seconds(5),
                patience: .seconds(60),
                isAwaited: { [self] in isAwaited.withLock(\.self) },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                acknowledge: { [self] number in acknowledged.withLock { $0.append(number) } }
            )
            await loop.run(events)
            hasEnded.withLock { $0 = true }
        }

        func order(_ number: Int, _ deadline: Duration?) async throws {
            set(deadline)
            post(.message(GuardMessage(number: number, deadline: board.deadline)))
            try await eventually("order \(number) is acknowledged") { self.acknowledged.withLock { $0.last == number } }
        }

        /// What the manager has said, and the guard has not taken up yet.
        func set(_ deadline: Duration?) {
            board.state.withLock { $0.deadline = deadline.map { clock.now() + $0 } }
        }

        var isOver: Bool { hasEnded.withLock { $0 } }
    }

    private final class Board: GuardKnowledge {
        struct State {
            var deadline: BootInstant?
            var groups: Set<Identifier> = ["a", "b", "late"]
        }

        let state = Mutex(State())
        var deadline: BootInstant? { state.withLock(\.deadline) }
        var groups: Set<Identifier> { state.withLock(\.groups) }
    }

    private func withGuard(_ body: (Bench) async throws -> Void) async throws {
        let bench = Bench()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await bench.run() }
            defer { tasks.cancelAll() }
            try await body(bench)
        }
    }

    @Test(arguments: [true, false])
    func letsGoWhenTheManagerHasEndedWhileArmed(_ isEndOfFile: Bool) async throws {
        try await withGuard { bench in
            try await bench.order(1, .seconds(6))
            bench.post(isEndOfFile ? .endOfFile : .terminate)
            try await eventually("it ends", on: bench.clock) { bench.isOver }
            #expect(bench.plugin.watched.isEmpty)
        }
    }

    /// It tries again and again, and nothing of that goes on when the loop has been ended.
    @Test func nothingGoesOnBehindTheLoop() async throws {
        let bench = Bench()
        bench.plugin.script { _ in .fail(GroupError(.unreachable, "not now")) }
        let running = Task { await bench.run() }
        try await bench.order(1, .seconds(6))
        try await eventually("it waits") { bench.clock.sleepers == 1 }
        bench.clock.advance(by: .seconds(6))
        try await eventually("it has tried, and waits") { !bench.plugin.calls.isEmpty && bench.clock.sleepers == 1 }
        running.cancel()
        await running.value
        try await eventually("nothing waits any more") { bench.clock.sleepers == 0 }
    }

    /// What the manager sent in its last moment reaches the plugin after the groups were let go.
    @Test func letsGoWhatArrivesLate() async throws {
        try await withGuard { bench in
            try await bench.order(1, .seconds(6))
            bench.post(.endOfFile)
            try await eventually("the groups are free") { bench.plugin.watched.isEmpty && bench.clock.sleepers > 0 }
            bench.plugin.put(.named("late"))
            try await eventually("it ends", on: bench.clock) { bench.isOver }
            #expect(bench.plugin.watched.isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func leavesTheGroupsWhenTheManagerHasEndedInOrder(_ wasArmed: Bool) async throws {
        try await withGuard { bench in
            if wasArmed { try await bench.order(1, .seconds(6)) }
            try await bench.order(2, nil)
            bench.post(.endOfFile)
            try await eventually("it ends") { bench.isOver }
            #expect(bench.plugin.calls.isEmpty)
        }
    }

    @Test func letsGoAtTheDeadlineOfAManagerThatStandsStill() async throws {
        try await withGuard { bench in
            try await bench.order(1, .seconds(6))
            try await eventually("it waits") { bench.clock.sleepers == 1 }
            bench.clock.advance(by: .milliseconds(5999))
            #expect(bench.plugin.calls.isEmpty)
            bench.clock.advance(by: .milliseconds(1))
            try await eventually("they are free") { bench.plugin.watched.isEmpty }
            // The manager goes on, and leads again.
            bench.plugin.put(.named("a"))
            try await bench.order(2, .seconds(6))
            #expect(bench.plugin.watched == ["a"])
            #expect(!bench.isOver)
        }
    }

    @Test func everyRenewalPutsTheDeadlineOff() async throws {
        try await withGuard { bench in
            for number in 1...10 {
                try await bench.order(number, .seconds(6))
                try await eventually("it waits") { bench.clock.sleepers == 1 }
                bench.clock.advance(by: .seconds(5))
            }
            #expect(bench.plugin.calls.isEmpty)
            #expect(bench.acknowledged.withLock { $0 } == Array(1...10))
        }
    }

    /// From the acknowledgement on, no free of an earlier order lands any more.
    @Test func aNewOrderEndsAReleaseThatIsUnderWay() async throws {
        try await withGuard { bench in
            let gate = Gate()
            bench.plugin.script { $0.isFree ? .hang(gate) : nil }
            try await bench.order(1, .zero)
            try await eventually("it frees") { gate.waiting == 3 }
            try await bench.order(2, .seconds(6))
            #expect(gate.waiting == 0)
            bench.plugin.behave()
            gate.open()
            bench.plugin.put(.named("c"))
            try await bench.order(3, nil)
            #expect(bench.plugin.watched == ["a", "b", "c"])
        }
    }

    @Test func doesNotGiveUp() async throws {
        try await withGuard { bench in
            bench.plugin.script { $0.isFree ? .fail(GroupError(.unknownOutcome, "lost")) : nil }
            try await bench.order(1, .seconds(6))
            bench.post(.endOfFile)
            try await eventually("it has tried often", on: bench.clock) { bench.plugin.count(\.isFree) > 20 }
            #expect(!bench.isOver)
            bench.plugin.behave()
            try await eventually("it ends", on: bench.clock) { bench.isOver }
            #expect(bench.plugin.watched.isEmpty)
        }
    }

    /// Its socket was away for a moment, and it holds what it held.
    @Test func aPluginThatIsAwayMayComeBack() async throws {
        try await withGuard { bench in
            bench.plugin.stop()
            try await bench.order(1, .seconds(6))
            bench.post(.endOfFile)
            try await pass(.seconds(20), on: bench.clock)
            #expect(!bench.isOver)
            bench.plugin.put(.named("a"), .named("b"))
            bench.plugin.start()
            try await eventually("it ends", on: bench.clock) { bench.isOver }
            #expect(bench.plugin.watched.isEmpty)
        }
    }

    /// One that is gone for good, that stands still, or that does not want to: the next manager must be able to start.
    @Test(arguments: ["away", "refuses", "keeps"]) func endsAfterItsTime(_ how: String) async throws {
        try await withGuard { bench in
            switch how {
            case "away": bench.plugin.stop()
            case "refuses": bench.plugin.script { $0 == .free(id: "b") ? .fail(GroupError(.rejected, "busy")) : nil }
            default: bench.plugin.script { $0 == .free(id: "b") ? .fail(.notWatched("b")) : nil }
            }
            // Of another store, or nobody's: not waited for, and not let go.
            if how != "away" { bench.plugin.put(.named("alien")) }
            try await bench.order(1, .seconds(6))
            bench.post(.endOfFile)
            let start = bench.clock.now()
            try await eventually("it ends", on: bench.clock, step: .milliseconds(500)) { bench.isOver }
            #expect(bench.clock.now() - start < .seconds(90))
            #expect(bench.plugin.watched == (how == "away" ? [] : ["alien", "b"]))
            // With growing pauses.
            #expect(bench.plugin.count { $0 == .free(id: "b") } < 40)
        }
    }

    @Test func makesRoomForTheNextOnceItHasTriedAll() async throws {
        try await withGuard { bench in
            bench.plugin.script { $0 == .free(id: "b") ? .fail(GroupError(.rejected, "busy")) : nil }
            bench.isAwaited.withLock { $0 = true }
            try await bench.order(1, .seconds(6))
            bench.post(.endOfFile)
            try await eventually("it ends") { bench.isOver }
            #expect(bench.plugin.watched == ["b"])
        }
    }

    /// A plugin that was stopped (SIGSTOP) takes connections and does not answer: it is not gone.
    @Test func aPluginThatStandsStillIsNotGone() async throws {
        try await withGuard { bench in
            let gate = Gate()
            bench.plugin.script { _ in .hangUnsent(gate) }
            try await bench.order(1, .seconds(6))
            bench.post(.endOfFile)
            try await eventually("it has asked more than once", on: bench.clock) { bench.plugin.calls.count > 3 }
            #expect(!bench.isOver)
            bench.plugin.behave()
            gate.open()
            try await eventually("it ends", on: bench.clock) { bench.isOver }
            #expect(bench.plugin.watched.isEmpty)
        }
    }

    /// It was stopped, alone, past the deadline that it knew. When it goes on, its manager leads on.
    @Test func aGuardThatStoodStillLooksForANewerDeadlineFirst() async throws {
        try await withGuard { bench in
            try await bench.order(1, .seconds(6))
            try await eventually("it waits") { bench.clock.sleepers == 1 }
            bench.set(.seconds(9))
            bench.clock.advance(by: .seconds(6))
            try await eventually("it waits on") { bench.clock.sleepers == 1 }
            #expect(bench.plugin.calls.isEmpty)
            // Of the newer one it may never be sent word: the pipe was full.
            bench.clock.advance(by: .seconds(3))
            try await eventually("they are free") { bench.plugin.watched.isEmpty }
        }
    }

    /// It stood still in the middle of letting go.
    @Test func letsNothingGoFromTheMomentOnAtWhichTheDeadlineHasMoved() async throws {
        try await withGuard { bench in
            let groups = (1...200).map { Identifier("g\($0)") }
            for group in groups { bench.plugin.put(.named(group)) }
            bench.board.state.withLock { $0.groups = Set(groups) }
            let gate = Gate()
            bench.plugin.script { $0.isFree ? .hang(gate) : nil }
            try await bench.order(1, .zero)
            try await eventually("it lets go") { gate.waiting == 64 }
            bench.set(.seconds(6))
            bench.plugin.behave()
            gate.open()
            try await eventually("it waits again") { bench.clock.sleepers == 1 && gate.waiting == 0 }
            #expect(bench.plugin.count(\.isFree) == 64)
        }
    }

    /// What the plugin says of its groups may be more than anybody reads.
    @Test(arguments: [true, false])
    func letsGoByNameWhatCannotBeRead(_ hasEnded: Bool) async throws {
        try await withGuard { bench in
            let groups = (1...20_000).map { Identifier("g\($0)") }
            for group in groups { bench.plugin.put(.named(group)) }
            bench.board.state.withLock { $0.groups = Set(groups + ["a", "b", "never told"]) }
            bench.plugin.script { request in
                guard case .inspect = request else { return nil }
                return .fail(GroupError(.unreadable, "a reply of more than 16777216 bytes"))
            }
            try await bench.order(1, hasEnded ? .seconds(6) : .zero)
            if hasEnded { bench.post(.endOfFile) }
            try await eventually("they are free", on: bench.clock) { bench.plugin.watched.isEmpty }
            if hasEnded { try await eventually("it ends", on: bench.clock) { bench.isOver } }
        }
    }

    /// One group that hangs keeps no other.
    @Test func letsGoByNameBeforeItAsks() async throws {
        try await withGuard { bench in
            bench.board.state.withLock { $0.groups = ["a", "b"] }
            let gate = Gate()
            bench.plugin.script { request in
                guard case .inspect = request else { return nil }
                return .hang(gate)
            }
            try await bench.order(1, .seconds(6))
            bench.post(.endOfFile)
            try await eventually("they are free while it waits for the list") {
                bench.plugin.watched.isEmpty && gate.waiting == 1
            }
            gate.open()
            try await eventually("it ends", on: bench.clock) { bench.isOver }
        }
    }

    @Test func readsOrdersFromAPipeAlsoInPieces() async throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (events, post) = GuardLoop.messages(from: ends[0])
        var iterator = events.makeAsyncIterator()
        func send(_ bytes: ArraySlice<UInt8>) {
            bytes.withUnsafeBytes { _ = Glibc.write(ends[1], $0.baseAddress, $0.count) }
        }
        let (first, second) = (
            GuardMessage(number: 1, deadline: BootInstant(nanoseconds: 5)), GuardMessage(number: 2, deadline: nil)
        )
        let bytes = first.bytes + second.bytes
        send(bytes.prefix(7))
        send(bytes.dropFirst(7).prefix(20))
        send(bytes.dropFirst(27))
        for expected in [first, second] {
            guard case .message(let message)? = await iterator.next() else {
                throw NeverCame(description: "no message")
            }
            #expect(message == expected)
        }
        post(.terminate)
        guard case .terminate? = await iterator.next() else { throw NeverCame(description: "not passed on") }
        close(ends[1])
        guard case .endOfFile? = await iterator.next() else { throw NeverCame(description: "no end of file") }
        close(ends[0])
    }
}
