import NFSLabSupport
import Testing

/// An older copy of the store directory is put in its place on the server: what a client remembers of the directory must not
/// decide who leads.
struct NFSReplacedStoreTests {
    @Test func anOlderStoreDirectoryIsNoticedByAllAtOnce() async throws {
        try await NFSWorld.with { world in
            try await world.startPrograms()
            let before = try await world.leader()
            let (leader, follower) = (before.host, try #require(world.others(than: before.host).first))
            func commit(_ size: Int) async throws -> Bool {
                let web =
                    #"{"ID":"web","Properties":{"Allocation":{"Size":\#(size)},"Instance":{"Properties":{"Command":["sleep","9999"]}}}}"#
                return try await leader.infrakit("group", "commit", "-", input: web).status == 0
            }
            try #require(try await commit(1))
            // Where the server has the share of all clients; again, when somebody wrote meanwhile.
            let copied = await world.lab.run(
                [
                    "sh", "-c",
                    """
                    cd /export
                    until cp -a store store.new && [ ! -e store.new/manager.db-journal ] && cmp store/manager.db store.new/manager.db; do
                        rm -rf store.new
                    done
                    """,
                ],
                on: "server"
            )
            try #require(copied.status == 0, "\(copied)")
            try #require(try await commit(2))
            // Not in the middle of a write: of that one nobody could tell whether it was stored, and the term would end.
            let moved = await world.lab.run(
                [
                    "sh", "-c",
                    """
                    cd /export
                    while [ -e store/manager.db-journal ]; do :; done
                    mv store store.gone && mv store.new store
                    """,
                ],
                on: "server"
            )
            try #require(moved.status == 0, "\(moved)")
            let began = ContinuousClock.now
            try await eventually("the leader acts no more", within: .seconds(10)) {
                leader.logs("leadership suspended", "older")
            }
            try await eventually("the follower says why nobody leads", within: .seconds(10)) {
                follower.role == "unknown"
            }
            print("nfs lab: store directory replaced: noticed by both after \((.now - began).inSeconds)")
            #expect(try await commit(3) == false)
            // A ttl later nobody else has taken it, and the groups are where they were.
            try await eventually("a ttl has passed", within: .seconds(30)) { .now - began > NFSHost.ttl * 2 }
            #expect(!leader.logs("leadership lost", "") && follower.leadership == nil)
            let described = try await leader.infrakit("group", "describe", "-q", "web", "--name", "group-stateless")
            #expect(described.output.split(separator: "\n").count == 2, "\(described)")

            // The newer one is back: all goes on, in the same term.
            let back = await world.lab.run(
                ["sh", "-c", "cd /export && mv store store.new && mv store.gone store"],
                on: "server"
            )
            try #require(back.status == 0, "\(back)")
            try await eventually("it takes writes again", within: .seconds(30)) { try await commit(3) }
            #expect(try await world.leader().epoch == before.epoch)
            // A client that has looked between the two renames remembers for up to a minute that there is no directory.
            try await eventually("the history is whole on the other host", within: .seconds(90)) {
                let verdict = try await follower.command("verify")
                return verdict.status == 0 && verdict.output.hasPrefix("sound: 3 revisions")
            }
        }
    }
}
