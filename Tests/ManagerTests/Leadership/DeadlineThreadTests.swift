import Glibc
import Synchronization
import Testing

@testable import Manager

/// Real time: that is what this thread is for.
struct DeadlineThreadTests {
    @Test func firesAfterTheDeadlineAndNotBefore() async throws {
        let clock = BootClock()
        let fired = Mutex<[BootInstant]>([])
        let thread = try DeadlineThread { fired.withLock { $0.append(clock.now()) } }
        defer { thread.stop() }
        let deadline = clock.now() + .milliseconds(50)
        thread.set(deadline)
        try await eventually("it fires") { fired.withLock { !$0.isEmpty } }
        let first = fired.withLock { $0[0] }
        #expect(first >= deadline)
        // Each deadline once; one that has passed already at once.
        thread.set(BootInstant(nanoseconds: 1))
        try await eventually("it fires again") { fired.withLock { $0.count == 2 } }
    }

    @Test func aDeadlineThatMovesOrGoesDoesNotFire() async throws {
        let clock = BootClock()
        let fired = Atomic(0)
        let thread = try DeadlineThread { fired.add(1, ordering: .relaxed) }
        defer { thread.stop() }
        thread.set(clock.now() + .seconds(600))
        thread.set(clock.now() + .seconds(900))
        thread.set(nil)
        // That the thread is awake and has had its chance is seen by another one that fires.
        let other = Atomic(0)
        let witness = try DeadlineThread { other.add(1, ordering: .relaxed) }
        defer { witness.stop() }
        witness.set(clock.now() + .milliseconds(20))
        try await eventually("the other fires") { other.load(ordering: .relaxed) == 1 }
        #expect(fired.load(ordering: .relaxed) == 0)
    }

    /// A descriptor that is closed while somebody still uses its number is another's descriptor, and its timer another's.
    @Test func keepsItsTimerForAsLongAsSomebodyMaySetIt() async throws {
        var thread = try DeadlineThread {}
        thread.stop()
        try await eventually("the thread has ended") { isKnownUniquelyReferenced(&thread) }
        #expect(fcntl(thread.timer, F_GETFD) >= 0)
        var name = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/self/fd/\(thread.timer)", &name, name.count)
        #expect(String(decoding: name.prefix(max(0, length)).map(UInt8.init), as: UTF8.self) == "anon_inode:[timerfd]")
    }
}
