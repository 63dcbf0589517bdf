import Glibc
import GroupSPI
import Logging
import Platform
import Testing

@testable import Manager

/// A guard process played by a shell: it locks, obeys, and writes down what it was told.
struct GuardProcessTests {
    private final class Bench: Sendable {
        let folder: String
        let inhibitors = Shared<[String?]>([])
        let process: GuardProcess

        init(folder: String, command: [String]? = nil, patience: Duration = .seconds(600)) throws {
            self.folder = folder
            signal(SIGPIPE, SIG_IGN)
            let script = """
                while [ -e '\(folder)/hold' ]; do sleep 0.02; done
                exec 9>>'\(folder)/lock'; flock 9; echo $$ >> '\(folder)/pids'
                while dd bs=16 count=1 'of=\(folder)/order' 2>/dev/null && [ -s '\(folder)/order' ]; do
                    od -An -v -tu1 -w16 '\(folder)/order' >> '\(folder)/orders'
                    head -c 8 '\(folder)/order'
                done
                echo end >> '\(folder)/ends'
                """
            process = try GuardProcess(
                command: command ?? ["/bin/sh", "-c", script],
                patience: patience,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                inhibit: { [inhibitors] reason in inhibitors.update { $0.append(reason) } }
            )
        }

        func lines(_ name: String) -> [String] {
            (File.text("\(folder)/\(name)") ?? "").split(separator: "\n").map(String.init)
        }

        /// What the guard was told, in the order in which it came.
        var orders: [GuardMessage] {
            lines("orders").map { line in
                GuardMessage(line.split(separator: " ").compactMap { UInt8($0) }[...])
            }
        }

        var isHindered: Bool { inhibitors.value.last.flatMap { $0 } != nil }

        func becomesReady() async throws {
            try await eventually("the guard is ready") { self.inhibitors.value.last == .some(nil) }
        }

        func ends(_ count: Int) async throws {
            try await eventually("the guard has ended") { self.lines("ends").count == count }
        }
    }

    private func withGuard(
        command: [String]? = nil,
        patience: Duration = .seconds(600),
        _ body: (Bench) async throws -> Void
    ) async throws {
        try await withScratchDirectory { folder in
            let bench = try Bench(folder: folder, command: command, patience: patience)
            bench.process.start()
            do {
                try await body(bench)
            } catch {
                bench.process.stop()
                throw error
            }
            bench.process.stop()
            let pids = bench.lines("pids").compactMap { pid_t($0) }
            try await eventually("no guard is left") { pids.allSatisfy { ProcessTable.entry($0) == nil } }
        }
    }

    @Test func hindersUntilTheGuardHasObeyedItsFirstOrder() async throws {
        try await withGuard { bench in
            #expect(bench.inhibitors.value.first.flatMap { $0 } != nil)
            try await bench.becomesReady()
            #expect(bench.orders == [GuardMessage(number: 0, deadline: nil)])
            let deadline = BootInstant(nanoseconds: 123_456_789)
            bench.process.arm(until: deadline)
            await bench.process.isReady()
            #expect(bench.orders.last == GuardMessage(number: 1, deadline: deadline))
            bench.process.disarm()
            await bench.process.isReady()
            #expect(bench.orders.last == GuardMessage(number: 2, deadline: nil))
            bench.process.stop()
            try await bench.ends(1)
            #expect(bench.lines("pids").count == 1)
        }
    }

    @Test func aGuardThatEndsIsReplacedAndToldWhatTheOtherKnew() async throws {
        try await withGuard { bench in
            try await bench.becomesReady()
            let deadline = BootInstant(nanoseconds: 123_456_789)
            bench.process.arm(until: deadline)
            await bench.process.isReady()
            let first = try #require(pid_t(bench.lines("pids")[0]))
            kill(first, SIGKILL)
            try await eventually("another has taken its place") { bench.orders.count == 3 }
            // A leader goes on: nothing has stood in its way since the first was there.
            #expect(bench.inhibitors.value.compactMap(\.self).count == 1)
            #expect(bench.orders.last == GuardMessage(number: 1, deadline: deadline))
            bench.process.disarm()
            await bench.process.isReady()
            #expect(bench.orders.last == GuardMessage(number: 2, deadline: nil))
        }
    }

    /// As where somebody else's has the lock by then: a leader without a guard ends its term.
    @Test func aGuardThatIsNotReplacedInTimeHinders() async throws {
        try await withGuard(patience: .milliseconds(300)) { bench in
            try await bench.becomesReady()
            let first = try #require(pid_t(bench.lines("pids")[0]))
            #expect(close(open("\(bench.folder)/hold", O_CREAT | O_WRONLY, 0o600)) == 0)
            kill(first, SIGKILL)
            try await eventually("it may not lead") { bench.inhibitors.value.last == "its orphan guard has ended" }
            unlink("\(bench.folder)/hold")
            try await bench.becomesReady()
        }
    }

    /// One that never was ready says nothing of the next.
    @Test func aGuardThatAlwaysEndsHinders() async throws {
        try await withGuard(command: ["/bin/false"]) { bench in
            try await eventually("it says so") { bench.inhibitors.value.last == "its orphan guard has ended" }
        }
    }

    /// Stopped, or swapped out: nobody would free the groups if the manager were killed now.
    @Test func aGuardThatStandsStillIsReplaced() async throws {
        try await withGuard(patience: .milliseconds(500)) { bench in
            try await bench.becomesReady()
            let first = try #require(pid_t(bench.lines("pids")[0]))
            kill(first, SIGSTOP)
            let deadline = BootInstant(nanoseconds: 123_456_789)
            try await eventually("another has taken its place") {
                bench.process.arm(until: deadline)
                return bench.lines("pids").count == 2 && !bench.isHindered
            }
            #expect(ProcessTable.entry(first) == nil)
            #expect(bench.orders.last?.deadline == deadline)
        }
    }

    /// A guard of an earlier run may still be letting groups go: what it frees must not land after a watch of this run.
    @Test func waitsForTheGuardOfAnEarlierRun() async throws {
        try await withScratchDirectory { folder in
            var earlier: FileLock? = try FileLock(waitingFor: "\(folder)/lock")
            let bench = try Bench(folder: folder)
            bench.process.start()
            defer { bench.process.stop() }
            bench.process.arm(until: BootInstant(nanoseconds: 5))
            let isReady = Shared(false)
            let waiter = Task {
                await bench.process.isReady()
                isReady.update { $0 = true }
            }
            // The new guard runs, and has come as far as the lock.
            try await eventually("it waits for the lock") {
                (File.text("/proc/locks") ?? "").contains("->") && bench.lines("pids").isEmpty
            }
            #expect(bench.isHindered)
            #expect(!isReady.value)
            withExtendedLifetime(earlier) {}
            earlier = nil
            await waiter.value
            try await bench.becomesReady()
            #expect(bench.orders.last == GuardMessage(number: 1, deadline: BootInstant(nanoseconds: 5)))
            bench.process.stop()
            try await bench.ends(1)
        }
    }

    /// A guard that stands still is told all the same, in more than its pipe holds, and nobody waits for it.
    @Test func whatAGuardIsToldDoesNotWaitForIt() async throws {
        try await withScratchDirectory { folder in
            let script = """
                echo $$ >> '\(folder)/pids'; head -c 8 /dev/zero
                while [ ! -e '\(folder)/go' ]; do sleep 0.05; done
                cat /proc/self/fd/3 > '\(folder)/part'; mv '\(folder)/part' '\(folder)/board'
                """
            let bench = try Bench(folder: folder, command: ["/bin/sh", "-c", script])
            bench.process.start()
            try await bench.becomesReady()
            for number in 1...20_000 { bench.process.note("group-\(number)") }
            bench.process.forget("group-7")
            for number in 1...10_000 { bench.process.arm(until: BootInstant(nanoseconds: number)) }
            #expect(close(open("\(folder)/go", O_CREAT | O_WRONLY, 0o600)) == 0)
            try await eventually("it has written down what it found") { File.read("\(folder)/board") != nil }
            bench.process.stop()
            let file = open("\(folder)/board", O_RDWR)
            defer { close(file) }
            let found = try #require(GuardBoard.Reader(file))
            #expect(found.deadline == BootInstant(nanoseconds: 10_000))
            #expect(found.groups == Set((1...20_000).map { Identifier("group-\($0)") }).subtracting(["group-7"]))
            let pids = bench.lines("pids").compactMap { pid_t($0) }
            try await eventually("no guard is left") { pids.allSatisfy { ProcessTable.entry($0) == nil } }
        }
    }

    @Test func aGuardThatCannotBeStartedHinders() async throws {
        try await withGuard(command: ["/nonexistent/guard"]) { bench in
            try await eventually("it says why") {
                bench.inhibitors.value.contains { $0?.contains("/nonexistent/guard: No such file") == true }
            }
            #expect(bench.isHindered)
            // Nobody waits for ever for a guard that never comes.
            bench.process.arm(until: BootInstant(nanoseconds: 5))
            let waiter = Task { await bench.process.isReady() }
            bench.process.stop()
            await waiter.value
        }
    }
}
