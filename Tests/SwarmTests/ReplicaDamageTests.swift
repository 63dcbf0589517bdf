import Foundation
import Glibc
import GroupSPI
import Store
import Testing

@testable import Replication
@testable import Swarm

@Suite("Damage in a node's copy")
struct ReplicaDamageTests {
    private static let pageSize = 4096

    private static func damage(_ path: String, page: Int) throws {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw NeverCame(description: "no \(path)") }
        defer { close(file) }
        let bytes = [UInt8](repeating: 0xA5, count: 300)
        // Behind the file's header, which says how large a page is.
        #expect(pwrite(file, bytes, bytes.count, page * pageSize + 1200) == bytes.count)
    }

    /// Whatever page it is, and whoever meets it: the leader goes on, and the file is kept.
    @Test func `Each page in turn, under a leader at work`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let path = nodes[0].configuration.path
            var page = 0
            var pages = 1
            while page < pages {
                let store = try await nodes[0].open()
                let leading = try await store.lead()
                try await leading.append("web", page)
                try await store.submit(
                    Request(
                        id: "r\(page)",
                        kind: .stepDown,
                        author: .tester,
                        time: Store.wallClock(),
                        patience: 600_000
                    ),
                    within: patience
                )
                pages = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0) / Self.pageSize
                try Self.damage(path, page: page)
                // By those that write and read what they need, and by the look at all of it.
                #expect(try await store.renewLease(leading.fence, within: patience).epoch == leading.lease.epoch)
                let number = try await leading.append("db", page).number
                #expect(try await store.states(at: nil, within: patience).map(\.group) == ["db", "web"])
                await store.keeper.verify()
                #expect(try await store.copy.verify(within: patience).problems == [], "page \(page)")
                #expect(try await store.summary(within: patience).newest == number)
                #expect(try await store.groups() == ["db", "web"])
                #expect(try await store.renewLease(leading.fence, within: patience).epoch == leading.lease.epoch)
                page += 1
            }
            #expect(pages > 15)
            let kept = try nodes[0].files.count { $0.hasPrefix("manager.db.damaged-") }
            #expect(kept > pages / 2 && nodes[0].lines.count("swarm copy damaged") == kept, "\(kept) of \(pages)")
            #expect(try nodes[0].files.contains("manager.db.new") == false)
        }
    }

    @Test func `What is asked there is still asked afterwards`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open()
            let leading = try await store.lead()
            for number in 1...40 { try await leading.append("g\(number)", number) }
            try await store.submit(
                Request(id: "r", kind: .stepDown, author: .tester, time: Store.wallClock(), patience: 600_000),
                within: patience
            )
            try await store.keeper.heal(StoreError(.notADatabase, "for this test"))
            #expect(try await store.request("r", within: patience)?.state == .waiting)
            #expect(try await store.waitingRequests(within: patience).map(\.id) == ["r"])
            #expect(try await store.groups().count == 40)
            #expect(try await leading.append("web").number == 41)
        }
    }

    @Test func `A copy that is removed under a leader, or cut to nothing, is made again`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open()
            let leading = try await store.lead()
            try await leading.append("web")
            let path = nodes[0].configuration.path
            #expect(unlink(path) == 0)
            #expect(try await leading.append("db").number == 2)
            #expect(truncate(path, 0) == 0)
            #expect(try await leading.append("pets").number == 3)
            #expect(try await store.groups() == ["db", "pets", "web"])
            #expect(try await store.copy.verify(within: patience).problems == [])
        }
    }

    @Test func `A disk that damages everything is not filled with copies`() async throws {
        try await SwarmBench.with { swarm, nodes in
            let store = try await nodes[0].open()
            _ = try await store.lead()
            for _ in 1...5 { try await store.keeper.heal(StoreError(.notADatabase, "for this test")) }
            let error = try await failure { try await store.keeper.heal(StoreError(.notADatabase, "for this test")) }
            #expect(error.code == .io && error.message.contains("damaged 5 times within a minute"))
        }
    }
}
