import GroupSPI
import Synchronization
import Testing

@testable import CLI
@testable import Manager
@testable import Store

/// What a command that asks the leader says while another program keeps the database locked.
@Suite struct LockedStoreTests {
    /// Keeps everybody from the database, readers too.
    private func lock(_ scene: Scene) throws -> Connection {
        let lock = try Connection(path: scene.store.path, mode: .readWrite, busyTimeout: 10_000)
        try lock.execute("BEGIN EXCLUSIVE")
        return lock
    }

    private func request(_ scene: Scene) async throws -> Request? {
        try await scene.store.waitingRequests(within: patience).first
    }

    /// A command under way. Nobody waits for what it does once it has ended, however busy the machine is.
    private final class Running: Sendable {
        private let hasEnded = Mutex(false)
        private let task = Mutex<Task<Scene.Finished, Never>?>(nil)

        init(_ line: String, in scene: Scene) {
            let task = Task {
                defer { hasEnded.withLock { $0 = true } }
                return await scene.run(line)
            }
            self.task.withLock { $0 = task }
        }

        var isOver: Bool { hasEnded.withLock(\.self) }

        func finished() async throws -> Scene.Finished { try #require(await task.withLock(\.self)?.value) }
    }

    /// Until the command has met the lock, for longer than SQLite waits for one: who takes that for an answer gives up now.
    private func outliveSQLitesPatience(_ scene: Scene, since before: Int, _ running: Running) async throws {
        while LockedTimes.count(scene.store.path) == before, !running.isOver {
            try await Task.sleep(for: .milliseconds(20), clock: .suspending)
        }
    }

    @Test(arguments: ["rollback 3 --wait 60s", "step-down --wait 60s"])
    func aLockIsWaitedForAsLongAsTheCommandWaits(_ line: String) async throws {
        try await Scene.scripted { scene in
            let finished = try await scene.withLeader({ _ in .nothingToDo }) {
                let lock = try lock(scene)
                let before = LockedTimes.count(scene.store.path)
                let running = Running(line, in: scene)
                try await outliveSQLitesPatience(scene, since: before, running)
                try lock.rollBack()
                lock.close()
                return try await running.finished()
            }
            #expect(finished.status == .done, "\(finished)")
        }
    }

    /// The request is in the store, and nothing can be read of it: that says nothing about what becomes of it.
    @Test func aLockWhileTheRequestWaitsIsNoRefusal() async throws {
        try await Scene.scripted { scene in
            let running = Running("rollback 3 --wait 60s", in: scene)
            let id = try await eventualRequest(scene, running)
            let lock = try lock(scene)
            let before = LockedTimes.count(scene.store.path)
            try await outliveSQLitesPatience(scene, since: before, running)
            try lock.rollBack()
            lock.close()
            let finished = try await scene.withLeader({ _ in .nothingToDo }) { try await running.finished() }
            #expect(finished.status == .done, "\(finished)")
            #expect(try await scene.store.request(id, within: patience)?.state == .done)
        }
    }

    /// At its deadline it cannot be taken back for a while. Then it can.
    @Test func whatIsTakenBackLateIsTakenBack() async throws {
        try await Scene.scripted { scene in
            let running = Running("rollback 3 --wait 500ms", in: scene)
            let id = try await eventualRequest(scene, running)
            let lock = try lock(scene)
            let before = LockedTimes.count(scene.store.path)
            // On a busy machine it may have been taken back before the lock was there.
            try await outliveSQLitesPatience(scene, since: before, running)
            try lock.rollBack()
            lock.close()
            let finished = try await running.finished()
            let state = try await scene.store.request(id, within: patience)?.state
            if finished.status == .pending {
                // A machine that is so busy that the lock outlasted the time for taking it back.
                #expect(finished.errors.contains("it may still be applied"), "\(finished)")
                #expect(state == .waiting || state == .cancelled)
            } else {
                #expect(finished.status == .noLeader && state == .cancelled, "\(finished)")
                #expect(finished.errors.hasSuffix("the request was cancelled and nothing was changed\n"), "\(finished)")
            }
        }
    }

    /// Trouble at a look at a request says nothing of the request: no sentence says that it may come true and that nothing was changed.
    @Test(arguments: [
        "manager.db is locked by another process (pid 7, cp); nothing was changed. Try again.",
        "the disk that holds manager.db is full; nothing was stored. Free some space.",
    ])
    func noSentenceSaysTwoOppositeThings(_ message: String) {
        let unknown = UnknownEnd(revision: nil, why: .timeIsUp, trouble: StoreError(.busy, message))
        let failure = Failure(unknown, within: .seconds(2))
        #expect(failure.message.contains("it may still be applied (") && failure.status == .pending)
        #expect(!failure.message.contains("nothing was") && !failure.message.contains("Try again"), "\(failure)")
        #expect(failure.message.contains("manager.db"))
    }

    private func eventualRequest(_ scene: Scene, _ running: Running) async throws -> String {
        while !running.isOver {
            if let request = try await request(scene) { return request.id }
            try await Task.sleep(for: .milliseconds(5), clock: .suspending)
        }
        throw Missed(finished: try await running.finished())
    }

    /// The command ended before its request was seen.
    private struct Missed: Error { let finished: Scene.Finished }
}
