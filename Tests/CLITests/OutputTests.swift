import GroupSPI
import Terminal
import Testing

@testable import CLI
@testable import Store

@Suite struct OutputTests {
    private func revision(_ changes: [Change], message: String = "") -> Revision {
        Revision(
            number: 12,
            time: 1_795_360_652_123,
            epoch: 3,
            manager: "n1/group",
            author: Author(user: "ann", uid: 1000, host: "h1"),
            operation: .rollback,
            target: 7,
            message: message,
            changes: changes,
            hash: [0x0A, 0xFF],
            tags: [],
            confirmation: nil
        )
    }

    @Test func aTableIsAsWideAsItsCells() {
        let table = Table(["A", "LONG", "C"], [["1", "2", ""], ["ééé", "4", "last one"]])
        #expect(table.text() == "A    LONG  C\n1    2\nééé  4     last one\n")
    }

    @Test func theJSONOfARevisionHasTheNamesThatScriptsRelyOn() throws {
        let changes = [
            Change(group: "a", action: .free, status: .applied),
            Change(group: "b", action: .free, status: .rejected, error: "no"),
        ]
        let view = JSONView(revision(changes, message: "why").json(current: 12).raw)
        #expect(
            view.members.map(\.name) == [
                "revision", "parent", "time", "epoch", "manager", "author", "operation", "groups", "message", "status",
                "error", "current", "hash", "target", "outcomes",
            ]
        )
        #expect(view.member("parent")?.int == 11)
        #expect(view.member("time")?.string == "2026-11-22T15:17:32.123Z")
        #expect(view.member("status")?.string == "partial")
        #expect(view.member("error")?.string == "no")
        #expect(view.member("hash")?.string == "0aff")
        #expect(view.member("outcomes")?.member("b")?.raw.text == "{\"status\":\"rejected\",\"error\":\"no\"}")
        #expect(view.member("author")?.raw.text == "{\"user\":\"ann\",\"uid\":1000,\"host\":\"h1\"}")
    }

    @Test func aLineOfTheHistoryMarksTheCurrentRevision() {
        let changes = (1...6).map { Change(group: "g\($0)", action: .free, status: .applied) }
        let cells = revision(changes, message: "two\nlines").cells(current: 12)
        #expect(cells[0] == "12*")
        #expect(cells[2...] == ["ann@h1", "rollback to 7", "g1,g2,g3 and 3 more", "applied", "two lines"])
    }

    @Test(arguments: [
        (0, "just now"), (999, "just now"), (1000, "1 second ago"), (59_000, "59 seconds ago"),
        (60_000, "1 minute ago"),
        (7_200_000, "2 hours ago"), (172_800_000, "2 days ago"), (-5000, "in 5 seconds"),
    ])
    func agesAreForPeople(_ milliseconds: Int, _ text: String) {
        let now = Timestamp(milliseconds: 10_000_000_000)
        #expect(Timestamp(milliseconds: now.milliseconds - milliseconds).age(at: now) == text)
    }

    @Test func sinceTakesATimeOrADuration() throws {
        let now = Timestamp(milliseconds: 1_795_360_652_000)
        #expect(try HistoryCommand.time("1h", now: now) == 1_795_357_052_000)
        #expect(try HistoryCommand.time("2026-11-22T15:17:32Z", now: now) == 1_795_360_652_000)
        #expect { try HistoryCommand.time("yesterday", now: now) } throws: { Failure($0).status == .usage }
    }
}

@Suite struct StatusReportTests {
    private func lease(holder: Identifier, expiresAt: Int = 2_000_000) -> Lease {
        Lease(
            holder: holder,
            instance: "i",
            epoch: holder.isEmpty ? 0 : 3,
            sequence: 1,
            ttl: 9000,
            acquiredAt: 0,
            renewedAt: 990_000,
            expiresAt: expiresAt,
            process: ProcessIdentity(host: "h", bootID: "", pidNamespace: "", pid: 0, startTime: 0),
            socket: "/s",
            pluginSocket: "/p",
            guardLock: ""
        )
    }

    private func status(_ lease: Lease, role: String?) throws -> CLI.ExitStatus {
        StatusReport(
            lease: lease,
            summary: HistorySummary(
                oldest: 0,
                whole: 1,
                newest: 0,
                current: nil,
                pending: [],
                rejections: [],
                unconfirmed: []
            ),
            replica: role.map { JSONView((["id": "x", "role": .string($0), "reason": "r"] as JSON).raw) },
            isReplicaSilent: false,
            storage: StorageReport(path: "/nowhere/manager.db"),
            swarm: nil,
            times: [:],
            sighting: .plausible,
            now: Timestamp(milliseconds: 1_000_000)
        ).status
    }

    @Test func theExitStatusTellsTheRole() throws {
        #expect(try status(lease(holder: "n1"), role: "leader") == .done)
        #expect(try status(lease(holder: "n1"), role: "follower") == .notLeader)
        #expect(try status(lease(holder: "n1"), role: nil) == .done)
        #expect(try status(lease(holder: ""), role: "candidate") == .noLeader)
        #expect(try status(lease(holder: "n1", expiresAt: 999_999), role: "follower") == .noLeader)
    }
}
