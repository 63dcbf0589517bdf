import Foundation
import GroupSPI
import Testing

@testable import Store

/// An older copy in the place of the database: whoever has seen more does not act on it, and nothing is given out again.
@Suite struct OlderStateTests {
    /// A replica that remembers, as a manager does.
    private func open(_ directory: String) async throws -> Store {
        var configuration = StoreConfiguration(path: StoreConfiguration.path(in: directory), busyTimeout: 10_000)
        configuration.noticesOlderState = true
        return try await Store.openForManager(configuration)
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
            #expect(row.suspension?.seen.revision == 6 && row.suspension?.isExact == true)
            #expect(row.isHeld(by: scene.leader.fence))
            // It goes on holding it, and others see that.
            let again = try await scene.store.renewLease(scene.leader.fence, within: patience)
            #expect(again.sequence > row.sequence && again.suspension == row.suspension)
            // Nobody takes it, who has seen more or not.
            for store in [scene.follower, try await open(directory)] {
                let seen = try await store.lease(within: patience)
                #expect(seen.suspension != nil)
                let taken = try await store.acquireLease(
                    claimant("n9/group"),
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

            let (suspension, newest) = try await command.acceptOlderState(within: patience)
            #expect(suspension.seen.revision == 6 && newest == 3)
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
                #expect(
                    revision.number > suspension.seen.revision && revision.number == suspension.lastNumber + 1 + index
                )
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
