import Foundation
import GroupSPI
import Synchronization
import Testing

@testable import Store

/// An older copy in the place of the database: whoever has seen more does not act on it, and nothing is given out again.
@Suite struct OlderStateTests {
    /// A replica that remembers, as a manager does.
    private func open(
        _ directory: String,
        bootTime: @escaping @Sendable () -> Int = StoreClock.bootTime
    ) async throws -> Store {
        var configuration = StoreConfiguration(path: StoreConfiguration.path(in: directory), busyTimeout: 10_000)
        configuration.noticesOlderState = true
        return try await Store.openForManager(configuration, bootTime: bootTime)
    }

    enum Way: String, CaseIterable {
        case copy, move, write
    }

    private func replace(_ path: String, with copy: Data, _ way: Way) throws {
        switch way {
        // As `cp` and `cat >`: the same file, with another content.
        case .copy, .write:
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            if way == .write { try file.truncate(atOffset: 0) }
            try file.write(contentsOf: copy)
            try file.truncate(atOffset: UInt64(copy.count))
            try file.close()
        case .move:
            try copy.write(to: URL(fileURLWithPath: path + ".old"))
            #expect(rename(path + ".old", path) == 0)
        }
    }

    private struct Scene {
        let store: Store
        let leader: Leader
        let follower: Store
        let older: Data
        let newer: Data
        var path: String { store.path }

        func verify() async throws -> [String] {
            let command = Store.openForCommand(StoreConfiguration(path: path))
            return try await command.verifyFile(within: patience)
                + command.verify(within: patience).problems.map(\.sentence)
        }
    }

    /// Six revisions; the copy has three, and is of the same term.
    private func scene(_ directory: String) async throws -> Scene {
        let store = try await open(directory)
        // Another has led before.
        let first = try await lead(store, as: "n0/group")
        try await first.append([.set("a", 1)])
        let leader = try await lead(store)
        for size in 2...3 { try await leader.append([.set("a", size)]) }
        let older = try contents(of: store.path)
        for size in 4...6 { try await leader.append([.set("b", size)]) }
        _ = try await store.renewLease(leader.fence, within: patience)
        let follower = try await open(directory)
        _ = try await follower.lease(within: patience)
        return Scene(
            store: store,
            leader: leader,
            follower: follower,
            older: older,
            newer: try contents(of: store.path)
        )
    }

    @Test(arguments: Way.allCases) func theLeaderWritesNothingAndHoldsTheLease(_ way: Way) async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            try replace(scene.path, with: scene.older, way)
            let write = try await failure { try await scene.leader.append([.set("a", 7)]) }
            #expect(write.code == .stale, "\(write)")
            let row = try await scene.store.renewLease(scene.leader.fence, within: patience)
            #expect(row.suspension?.isExact == true && row.suspension?.seen.revision == 6)
            #expect(row.suspension?.lastNumber == 6 && row.suspension?.lastEpoch == scene.leader.fence.epoch)
            #expect(row.isHeld(by: scene.leader.fence))
            // It goes on holding it, and others see that.
            let again = try await scene.store.renewLease(scene.leader.fence, within: patience)
            #expect(again.sequence > row.sequence && again.suspension == row.suspension)
            // Nobody takes it, who has seen more or not.
            for store in [scene.follower, try await open(directory)] {
                let seen = try await store.lease(within: patience)
                #expect(seen.suspension != nil)
                let taken = try await store.acquireLease(
                    candidate("n9/group"),
                    watched: seen,
                    ttl: 9000,
                    reason: "",
                    within: patience
                )
                #expect(taken == nil)
            }
            let settle = try await failure {
                try await scene.store.recordOutcomes(
                    [Outcome(revision: 3, group: "a", status: .applied)],
                    fence: scene.leader.fence,
                    within: patience
                )
            }
            #expect(settle.code == .stale)
            let found = try await scene.verify()
            #expect(found.count == 1 && found[0].contains("it lacks revision 6"), "\(found)")

            // Nor is anything kept there that needs no leader: all that was acknowledged would be gone with the file.
            let command = Store.openForCommand(StoreConfiguration(path: scene.path))
            let id = Request.makeID()
            let writes: [@Sendable () async throws -> Void] = [
                { try await command.setTag("good", to: 2, author: .tester, moving: false, within: patience) },
                { try await command.removeTag("good", within: patience) },
                { try await command.confirm(3, within: patience) },
                {
                    try await command.submit(Request(id: id, kind: .stepDown, author: .tester), within: patience)
                },
                { try await command.renewRequest(id, within: patience) },
                { _ = try await command.cancelRequest(id, within: patience) },
            ]
            for write in writes { #expect(try await failure { try await write() }.code == .stale) }

            // Nor does anybody go on from what is read there.
            #expect(try await failure { try await scene.store.states(within: patience) }.code == .stale)
            #expect(try await failure { try await scene.store.waitingRequests(within: patience) }.code == .stale)

            // The newer file is back: all goes on.
            try replace(scene.path, with: scene.newer, way)
            let back = try await scene.store.renewLease(scene.leader.fence, within: patience)
            #expect(back.suspension == nil)
            #expect(try await scene.leader.append([.set("a", 7)]).number == 7)
            #expect(try await scene.follower.lease(within: patience).suspension == nil)
            #expect(try await scene.verify() == [])
        }
    }

    @Test(arguments: Way.allCases) func theOlderStateIsAcceptedAndNothingComesAgain(_ way: Way) async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            let command = Store.openForCommand(StoreConfiguration(path: scene.path))
            #expect(try await failure { try await command.acceptOlderState(within: patience) }.code == .conflict)
            try replace(scene.path, with: scene.older, way)
            let id = Request.makeID()
            try await command.submit(Request(id: id, kind: .stepDown, author: .tester), within: patience)
            _ = try await scene.store.renewLease(scene.leader.fence, within: patience)
            #expect(try await scene.follower.lease(within: patience).suspension != nil)

            // The leader knows what it has given out: nothing is left out beside that.
            let accepted = try await command.acceptOlderState(within: patience)
            #expect(accepted.newest == 3 && accepted.next == 7)
            #expect(try await command.request(id, within: patience)?.state == .refused)
            // The leader of before ends its term, and writes nothing more.
            let write = try await failure { try await scene.leader.append([.set("a", 7)]) }
            #expect(write.code == .stale, "\(write)")
            let ended = try await failure { try await scene.store.renewLease(scene.leader.fence, within: patience) }
            #expect(ended.code == .fenced && ended.message.contains("accepted"), "\(ended)")
            try await scene.store.releaseLease(scene.leader.fence, reason: "accepted", within: patience)
            #expect(try await scene.verify() == [])

            for (index, store) in [scene.follower, scene.store, try await open(directory)].enumerated() {
                let next = try await lead(store, as: "n5/group")
                #expect(next.fence.epoch == scene.leader.fence.epoch + 1 + index)
                let revision = try await next.append([.set("c", index)])
                #expect(revision.number == 7 + index)
            }
            #expect(try await command.states(within: patience).map(\.group) == ["a", "c"])
            #expect(try await scene.verify() == [])
            let gone = try await failure { try await command.wholeStates(at: 5, within: patience) }
            #expect(gone.message.contains("is lost"), "\(gone)")
            // Retention goes over what was lost.
            let last = try await lead(scene.store, as: "n6/group")
            _ = try await scene.store.prune(RetentionPolicy(limit: 1), after: 0, fence: last.fence, within: patience)
            try await last.append([.set("c", 9)])
            #expect(try await scene.verify() == [])
        }
    }

    /// Whose term it was matters as little as how old the copy is.
    @Test func aCopyOfAnEarlierTermIsNotTakenForAVacancy() async throws {
        try await withScratch { directory in
            let store = try await open(directory)
            let first = try await lead(store, as: "n0/group")
            try await first.append([.set("a", 1)])
            try await store.releaseLease(first.fence, reason: "stopped", within: patience)
            let older = try contents(of: store.path)
            let leader = try await lead(store)
            try await leader.append([.set("a", 2)])
            _ = try await store.renewLease(leader.fence, within: patience)
            let follower = try await open(directory)
            _ = try await follower.lease(within: patience)
            try older.write(to: URL(fileURLWithPath: store.path))

            // The follower looks first: it says so in the file, and takes nothing.
            let seen = try await follower.lease(within: patience)
            #expect(seen.suspension?.isExact == false && !seen.isHeld)
            #expect(try await failure { try await follower.cancelRequest("r", within: patience) }.code == .stale)
            // Then the leader: it holds on to its own epoch.
            let row = try await store.renewLease(leader.fence, within: patience)
            #expect(row.isHeld(by: leader.fence) && row.suspension?.isExact == true)
            let verification = try await Store.openForCommand(StoreConfiguration(path: store.path)).verify(
                within: patience
            )
            #expect(verification.problems.count == 1, "\(verification.problems)")
        }
    }

    /// Nobody who led has said anything yet: what it may have given out is left out, and it may still have its groups.
    @Test func whatIsAcceptedBeforeTheLeaderHasLookedLeavesRoomAndTime() async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            // More than the follower has seen.
            let stranger = try await lead(scene.follower, as: "n1/group")
            let last = try await stranger.append([.set("b", 7)])
            let next = try await lead(scene.store, as: "n2/group")
            let unseen = try await next.append([.set("b", 8)])
            #expect(unseen.number == last.number + 1 && next.fence.epoch == stranger.fence.epoch + 1)
            try scene.older.write(to: URL(fileURLWithPath: scene.path))

            #expect(try await scene.follower.lease(within: patience).suspension?.isExact == false)
            let command = Store.openForCommand(StoreConfiguration(path: scene.path))
            let accepted = try await command.acceptOlderState(within: patience)
            #expect(accepted.newest == 3 && accepted.next > unseen.number)
            let row = try await command.lease(within: patience)
            // Held by nobody who could have ended: it has to be waited for.
            #expect(row.isHeld && row.epoch > next.fence.epoch && row.sequence >= row.epoch && row.ttl > 0)
            #expect(row.process == Lease.none.process && row.instance != next.fence.instance)
            #expect(try await scene.verify() == [])
            // The one who led finds another in its place.
            let ended = try await failure { try await scene.store.renewLease(next.fence, within: patience) }
            #expect(ended.code == .fenced, "\(ended)")
            #expect(try await failure { try await next.append([.set("b", 9)]) }.code == .fenced)
            try await scene.store.releaseLease(next.fence, reason: "accepted", within: patience)
            #expect(try await command.lease(within: patience) == row)

            let fresh = try await lead(try await open(directory), as: "n3/group")
            #expect(try await fresh.append([.set("c", 1)]).number == accepted.next)
            #expect(try await scene.verify() == [])
            // It may happen once more.
            let again = try contents(of: scene.path)
            for size in 2...4 { try await fresh.append([.set("c", size)]) }
            try again.write(to: URL(fileURLWithPath: scene.path))
            _ = try await fresh.store.renewLease(fresh.fence, within: patience)
            let second = try await command.acceptOlderState(within: patience)
            #expect(second.newest == accepted.next && second.next == accepted.next + 4)
            #expect(try await scene.verify() == [])
        }
    }

    /// Rows of the lease tell of revisions alone: a follower that has seen nothing else counts from what was left out.
    @Test func aSecondAcceptanceLeavesRoomAboveWhatTheFirstLeftOut() async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            _ = try await lead(scene.follower, as: "n1/group").append([.set("b", 7)])
            _ = try await lead(scene.store, as: "n2/group").append([.set("b", 8)])
            try scene.older.write(to: URL(fileURLWithPath: scene.path))
            #expect(try await scene.follower.lease(within: patience).suspension?.isExact == false)
            let command = Store.openForCommand(StoreConfiguration(path: scene.path))
            let accepted = try await command.acceptOlderState(within: patience)
            let older = try contents(of: scene.path)

            let leading = try await lead(try await open(directory), as: "n3/group")
            let watcher = try await open(directory)
            #expect(try await watcher.lease(within: patience).revision < accepted.next)
            var last = 0
            for size in 1...9 { last = try await leading.append([.set("c", size)]).number }
            #expect(last == accepted.next + 8)
            try older.write(to: URL(fileURLWithPath: scene.path))
            #expect(try await watcher.lease(within: patience).suspension?.isExact == false)
            #expect(try await command.acceptOlderState(within: patience).next > last)
        }
    }

    /// Whoever has not renewed in time may have been replaced: what it knows is not all.
    @Test func aPastHolderDoesNotSpeakForTheOneAfterIt() async throws {
        try await withScratch { directory in
            let time = TestClock()
            let store = try await open(directory, bootTime: { time.now })
            let first = try await lead(store)
            try await first.append([.set("a", 1)])
            let older = try contents(of: store.path)
            try await first.append([.set("a", 2)])
            _ = try await store.renewLease(first.fence, within: patience)
            time.advance(by: Int(patience / .milliseconds(1)))
            let second = try await lead(try await open(directory), as: "n2/group")
            let last = try await second.append([.set("a", 3)])
            try older.write(to: URL(fileURLWithPath: store.path))

            let row = try await store.renewLease(first.fence, within: patience)
            let suspension = try #require(row.suspension)
            #expect(!suspension.isExact)
            #expect(suspension.lastNumber > last.number && suspension.lastEpoch > second.fence.epoch)
            // The longer nobody has looked, the more may have happened.
            time.advance(by: 3_600_000)
            try older.write(to: URL(fileURLWithPath: store.path))
            let later = try #require(try await store.renewLease(first.fence, within: patience).suspension)
            #expect(later.lastNumber >= suspension.lastNumber + 3_600_000)
            // The one who leads has the word.
            let exact = try #require(try await second.store.renewLease(second.fence, within: patience).suspension)
            #expect(exact.isExact && exact.lastNumber == last.number && exact.lastEpoch == second.fence.epoch)
            // And keeps it.
            try await store.releaseLease(first.fence, reason: "over", within: patience)
            #expect(try await store.lease(within: patience).suspension == exact)
        }
    }

    /// Each follower adds what it knows.
    @Test func whatFollowersHaveSeenAddsUp() async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            let well = try await open(directory)
            _ = try await scene.leader.append([.set("b", 9)])
            _ = try await scene.store.renewLease(scene.leader.fence, within: patience)
            _ = try await well.lease(within: patience)
            try scene.older.write(to: URL(fileURLWithPath: scene.path))
            #expect(try await scene.follower.lease(within: patience).suspension?.seen.revision == 6)
            let row = try await well.lease(within: patience)
            #expect(row.suspension?.seen.revision == 7 && row.suspension?.isExact == false)
            // There is nothing to add any more.
            #expect(try await well.lease(within: patience) == row)
            #expect(try await scene.follower.lease(within: patience) == row)
        }
    }

    /// It stops in order, and has not looked: whoever comes next is told.
    @Test func aLeaderThatReleasesTheLeaseThereLeavesWord() async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            try scene.older.write(to: URL(fileURLWithPath: scene.path))
            try await scene.store.releaseLease(scene.leader.fence, reason: "stopped", within: patience)
            let fresh = try await open(directory)
            let row = try await fresh.lease(within: patience)
            #expect(!row.isHeld && row.suspension?.seen.revision == 6)
        }
    }

    /// Another has begun to lead there, and could not know better, in the epoch of the leader of before: that one yields.
    @Test func aNewStartInTheSameEpochIsNotThrownOut() async throws {
        try await withScratch { directory in
            let store = try await open(directory)
            let older = try contents(of: store.path)
            let leader = try await lead(store)
            try await leader.append([.set("a", 1)])
            try older.write(to: URL(fileURLWithPath: store.path))
            let other = try await lead(try await open(directory), as: "n7/group")
            #expect(other.fence.epoch == leader.fence.epoch)
            let error = try await failure { try await store.renewLease(leader.fence, within: patience) }
            #expect(error.code == .stale, "\(error)")
            // The new one acts no more either, until somebody decides.
            #expect(try await failure { try await other.append([.set("a", 2)]) }.code == .stale)
            #expect(try await other.store.renewLease(other.fence, within: patience).suspension != nil)
        }
    }

    /// Whoever stood still meanwhile finds a row of a later epoch, which tells nothing of what the history lacks.
    @Test(arguments: [true, false]) func aCopyThatOthersHaveGoneOnFromIsNoticed(_ isByTheFollower: Bool) async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            try replace(scene.path, with: scene.older, .move)
            let other = try await lead(try await open(directory), as: "n7/group")
            #expect(other.fence.epoch > 2)
            #expect(try await other.append([.set("c", 1)]).number == 4)
            #expect(try await other.store.renewLease(other.fence, within: patience).suspension == nil)
            let late = isByTheFollower ? scene.follower : scene.store
            #expect(try await late.lease(within: patience).suspension != nil)
            #expect(try await failure { try await other.append([.set("c", 2)]) }.code == .stale)
            #expect(try await scene.verify().contains { $0.contains("is older than a state that a manager has seen") })
            let accepted = try await Store.openForCommand(StoreConfiguration(path: scene.path))
                .acceptOlderState(within: patience)
            #expect(accepted.newest == 4 && accepted.next > 6, "\(accepted)")
            #expect(try await late.lease(within: patience).suspension == nil)
        }
    }

    /// No copy at all: a history of its own, which goes on for longer than the one that was seen.
    @Test func aNewHistoryThatIsLongerIsNoticed() async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            #expect(rename(scene.path, "\(directory)/away") == 0)
            let first = try await lead(try await open(directory), as: "n6/group")
            let other = try await lead(first.store)
            #expect(other.fence.epoch == scene.leader.fence.epoch)
            for size in 1...9 { try await other.append([.set("c", size)]) }
            for _ in 0..<20 { _ = try await other.store.renewLease(other.fence, within: patience) }
            #expect(try await scene.follower.lease(within: patience).suspension != nil)
            #expect(try await other.store.renewLease(other.fence, within: patience).suspension != nil)
        }
    }

    /// All managers were stopped: a restored backup needs nobody's word.
    @Test func aRestoredBackupIsUsedAtOnce() async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            try scene.older.write(to: URL(fileURLWithPath: scene.path))
            let fresh = try await lead(try await open(directory), as: "n1/group")
            #expect(try await fresh.append([.set("a", 9)]).number == 4)
            #expect(try await scene.verify() == [])
        }
    }

    /// Retention may have removed what a replica that stood still has seen last.
    @Test func whatRetentionHasRemovedIsNotMissed() async throws {
        try await withScratch { directory in
            let scene = try await scene(directory)
            for size in 7...40 { try await scene.leader.append([.set("a", size)]) }
            _ = try await scene.store.prune(
                RetentionPolicy(limit: 5),
                after: 0,
                fence: scene.leader.fence,
                within: patience
            )
            let next = try await lead(scene.follower, as: "n2/group")
            #expect(try await next.append([.set("a", 41)]).number == 41)
        }
    }
}

private final class TestClock: Sendable {
    private let time = Mutex(1_000_000)
    var now: Int { time.withLock { $0 } }
    func advance(by milliseconds: Int) { time.withLock { $0 += milliseconds } }
}
