import Glibc
import GroupSPI
import Store
import Swarm
import SwarmLabSupport
import Testing

/// What goes wrong on one node, or beside the swarm's managers.
extension SwarmModeTests {
    /// Of a copy that is damaged: another one is made, the damaged one is kept, and the term goes on.
    @Test func aDamagedPageInTheLeadersCopyEndsNoTerm() async throws {
        try await SwarmWorld.with { swarm in
            try await swarm.startManagers()
            let (leader, epoch) = try await swarm.leader()
            for number in 1...12 { try await leader.commit("g\(number)", number) }
            try await swarm.copiesAgree()
            let path = StoreConfiguration.path(in: leader.storeDirectory)
            let pages = try #require(Files.bytes(path)).count / Self.pageSize
            // What this process remembers of a page it writes again as it was: so all are damaged but the first, which it always
            // writes.
            for page in 1..<pages { try Self.damage(path, page: page) }
            for number in 1...3 { try await leader.commit("web", number) }
            let kept = try await eventually("the damaged file is put aside") {
                try await leader.command("history", "-o", "json").status == 0 ? Self.newCopies(in: leader).first : nil
            }
            let there = try #require(Files.bytes("\(leader.storeDirectory)/\(kept)"))
            #expect(
                (1..<pages).contains { page in
                    there.dropFirst(page * Self.pageSize + Self.offset).starts(with: Self.damage)
                }
            )
            #expect(try await swarm.leader().epoch == epoch)
            #expect(leader.plugin.size(of: "web") == 3)
            #expect(try await leader.command("verify").status == 0)

            // A page that nobody reads on the way, found at the next start; and the node leads again.
            let manager = try leader.manager
            manager.send(SIGTERM)
            try await manager.expectEnd(.exit(0))
            try Self.damage(path, page: pages / 2)
            try await leader.startManager([])
            let again = try await swarm.leader(after: epoch)
            try await leader.commit("web", 1000)
            try await eventually("the damaged file is kept, and the copy is whole") {
                guard Self.newCopies(in: leader).count == 2 else { return false }
                return try await leader.command("verify").status == 0
            }
            #expect(again.host.name == leader.name)
            try await swarm.copiesAgree()
            let numbers = try await leader.store.history(HistoryQuery(), within: .seconds(20)).revisions.map(\.number)
            #expect(numbers.max() == 16, "12 groups, 4 changes of one: \(numbers)")
            for host in swarm.hosts where host.name != leader.name {
                #expect(Self.newCopies(in: host).isEmpty)
            }
        }
    }

    /// The second one follows for as long as the first one lives, and leads when it has ended.
    @Test func twoManagersOnOneEngineDoNotTakeTheLeadershipFromEachOther() async throws {
        try await SwarmWorld.with { swarm in
            try await swarm.startManagers()
            let (leader, epoch) = try await swarm.leader()
            try await leader.commit("web", 1)
            let second = try await swarm.world.host("second", engine: swarm.lab.socket(leader.name))
            try await second.startManager([])
            try await second.waitUntilFollowing(leader)
            // Many of its looks, each of which asks whether it may lead.
            try await eventually("the second manager has looked forty times", within: .seconds(120)) {
                try await second.store.lease(within: .seconds(5)).sequence > 40
            }
            try await leader.commit("web", 2)
            #expect(try await swarm.annotation().snapshot?.lease.epoch == epoch)
            #expect(
                second.plugin.watched.isEmpty && swarm.world.journal.of("second").allSatisfy { !$0.request.isWatch }
            )
            let status = try await second.command("status")
            #expect(status.status == 3, "\(status)")

            try await leader.manager.crash()
            try await eventually("the second one leads", within: .seconds(90)) {
                second.plugin.size(of: "web") == 2
            }
            #expect(try await swarm.annotation().snapshot?.lease.holder == "second")
            try await second.commit("web", 3)
            // And it is the first that follows when it comes back.
            try await leader.startManager([])
            try await leader.waitUntilFollowing(second)
            try await second.commit("web", 4)
            #expect(try await swarm.annotation().snapshot?.lease.epoch == epoch + 1)
        }
    }

    /// Every commit comes through, however often others change the swarm at that moment.
    @Test func whoUpdatesTheSwarmInALoopDoesNotKeepCommitsOut() async throws {
        try await SwarmWorld.with { swarm in
            try await swarm.startManagers()
            let (leader, epoch) = try await swarm.leader()
            let updates = Updates()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for node in SwarmLab.managers {
                    tasks.addTask { try await Self.update(swarm, through: node, counting: updates) }
                }
                for number in 1...40 { try await leader.commit("g\(number % 4)", number) }
                tasks.cancelAll()
                while let result = await tasks.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) { throw error }
                }
            }
            print(
                "swarm lab: 40 commits beside \(updates.done) updates by others, \(updates.lost) of theirs lost a race"
            )
            // Otherwise there was no contention that anybody could lose by.
            #expect(updates.done > 200 && updates.lost > 40)
            let snapshot = try #require(try await swarm.annotation().snapshot)
            #expect(snapshot.newest == 40 && snapshot.lease.epoch == epoch)
        }
    }

    // MARK: - What is done to them

    private static let pageSize = 4096
    /// Behind the header of the file's first page, which says how large a page is.
    private static let offset = 1200

    private static let damage = [UInt8](repeating: 0xA5, count: 300)

    private static func damage(_ path: String, page: Int) throws {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw Trouble("no \(path)") }
        defer { close(file) }
        guard pwrite(file, damage, damage.count, page * pageSize + offset) == damage.count else {
            throw Trouble("\(path) cannot be written")
        }
    }

    private static func newCopies(in host: Host) -> [String] {
        Files.names(in: host.storeDirectory).filter { $0.hasPrefix("manager.db.damaged-") && !$0.hasSuffix("-journal") }
    }

    /// Changes a label of no account, as fast as the Engine lets it, until it is cancelled.
    private static func update(_ swarm: SwarmWorld, through node: String, counting updates: Updates) async throws {
        let client = try swarm.lab.client(node)
        var number = 0
        while !Task.isCancelled {
            number += 1
            do throws(EngineError) {
                let object = try await client.swarm()
                try await client.update(
                    object.spec.setting(label: "other", to: "\(node) \(number)"),
                    version: object.version
                )
                updates.note(isDone: true)
            } catch {
                updates.note(isDone: false)
            }
        }
        await client.shutdown()
    }
}
