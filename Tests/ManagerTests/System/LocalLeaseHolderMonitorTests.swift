import Glibc
import GroupSPI
import ManagerModels
import Platform
import Store
import Synchronization
import Testing

@testable import Manager

/// Against real processes and locks.
struct LocalLeaseHolderMonitorTests {
    /// What a watch has told.
    private final class Told: Sendable {
        private let all = Mutex<[Int]>([])
        var epochs: [Int] { all.withLock { $0 } }
        func add(_ epoch: Int) { all.withLock { $0.append(epoch) } }
    }

    private let told = Told()
    private let watch: LocalLeaseHolderMonitor

    init() {
        watch = LocalLeaseHolderMonitor(seenFrom: .current()) { [told] in told.add($0) }
    }

    private func told(_ epochs: Int...) async throws {
        try await eventually("\(epochs) is told") { told.epochs == epochs }
    }

    @Test func tellsTheEndOfAProcessOnce() async throws {
        try await withProcess(["/bin/sleep", "60"]) { pid in
            let lease = Lease.held(by: .here(pid), epoch: 7)
            watch.watch(lease)
            watch.watch(lease)
            #expect(watch.awaited == pid)
            #expect(told.epochs == [])
            kill(pid_t(pid), SIGKILL)
            try await told(7)
            // As the next look would, which finds the same.
            watch.watch(lease)
            #expect(watch.awaited == nil)
            #expect(told.epochs == [7])
        }
    }

    /// Its plugin may act until its guard has let the groups go.
    @Test func waitsForTheGuardOfAProcessThatHasEnded() async throws {
        try await withScratchDirectory { folder in
            try await withLockHolder("\(folder)/guard") { guardian in
                try await withProcess(["/bin/sleep", "60"]) { pid in
                    // Seen from a process that is not the guard's parent.
                    let told = Told()
                    let watch = LocalLeaseHolderMonitor(seenFrom: .here(1)) { told.add($0) }
                    watch.watch(.held(by: .here(pid), guardLock: "\(folder)/guard", epoch: 3))
                    #expect(watch.awaited == pid)
                    kill(pid_t(pid), SIGKILL)
                    try await eventually("it waits for the guard") { watch.awaited == guardian }
                    #expect(told.epochs == [])
                    kill(pid_t(guardian), SIGKILL)
                    try await eventually("it is told") { told.epochs == [3] }
                }
            }
        }
    }

    /// It ended between the look and the watch; or its number is another's by now.
    @Test func tellsAtOnceOfWhoeverHasEndedAlready() async throws {
        try await withProcess(["/bin/sleep", "60"]) { pid in
            watch.watch(.held(by: .here(pid, startTime: 1), epoch: 5))
            #expect(told.epochs == [5])
            #expect(watch.awaited == nil)
            watch.watch(.held(by: .here(999_999_999, startTime: 1), epoch: 6))
            #expect(told.epochs == [5, 6])
        }
    }

    @Test func followsTheLeaseFromHolderToHolder() async throws {
        try await withProcess(["/bin/sleep", "60"]) { first in
            try await withProcess(["/bin/sleep", "60"]) { second in
                watch.watch(.held(by: .here(first), epoch: 1))
                watch.watch(.held(by: .here(second), epoch: 2))
                #expect(watch.awaited == second)
                // The same in a later term.
                watch.watch(.held(by: .here(second), epoch: 4))
                kill(pid_t(first), SIGKILL)
                kill(pid_t(second), SIGKILL)
                try await told(4)
            }
        }
    }

    @Test func waitsForNobodyThatItCannotSee() async throws {
        try await withProcess(["/bin/sleep", "60"]) { pid in
            let here = ProcessIdentity.here(pid)
            func other(_ bootID: String, _ namespace: String) -> ProcessIdentity {
                ProcessIdentity(
                    host: here.host,
                    bootID: bootID,
                    pidNamespace: namespace,
                    pid: pid,
                    startTime: here.startTime
                )
            }
            watch.watch(.held(by: here))
            for lease in [
                nil, Lease.held(by: other("another boot", here.pidNamespace)),
                .held(by: other(here.bootID, "another namespace")), .held(by: here).next(holder: ""),
                .held(by: .current()),
            ] {
                watch.watch(.held(by: here))
                #expect(watch.awaited == pid)
                watch.watch(lease)
                #expect(watch.awaited == nil)
            }
            watch.stop()
            watch.watch(.held(by: here))
            #expect(watch.awaited == nil)
            #expect(told.epochs == [])
        }
    }

    /// A lock that has not been told its owner says nothing: the regular looks have to do, and each tries again.
    @Test func triesAgainWhenItDoesNotKnowWhomToWaitFor() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/guard"
            let gone = Lease.held(by: .here(999_999_999, startTime: 1), guardLock: path, epoch: 9)
            write("", to: path)
            let holder = open(path, O_RDWR | O_CLOEXEC)
            #expect(flock(holder, LOCK_EX) == 0)
            watch.watch(gone)
            #expect(watch.awaited == nil)
            #expect(told.epochs == [])
            close(holder)
            watch.watch(gone)
            #expect(told.epochs == [9])
        }
    }

    @Test func leavesNoDescriptorBehind() async throws {
        let descriptors = { (pid: Int) -> Int in
            // Descriptors of processes say of whom they are.
            (0..<1024).count { File.text("/proc/self/fdinfo/\($0)")?.contains("Pid:\t\(pid)\n") == true }
        }
        try await withProcess(["/bin/sleep", "60"]) { pid in
            for _ in 0..<20 {
                watch.watch(.held(by: .here(pid)))
                watch.watch(nil)
            }
            watch.watch(.held(by: .here(pid)))
            try await eventually("one is open") { descriptors(pid) == 1 }
            watch.stop()
            try await eventually("none is open") { descriptors(pid) == 0 }
        }
    }
}
