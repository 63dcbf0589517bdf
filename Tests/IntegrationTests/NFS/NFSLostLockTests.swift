import GroupSPI
import NFSLabSupport
import Testing

/// A host that is lost while it holds the database's lock, as in the middle of a write.
@Suite(.serialized, .nfsLab) struct NFSLostLockTests {
    /// The server gives the lock up when the host's lease is over.
    @Test func withVersion4AnotherLeadsAfterTheServersLease() async throws {
        try await NFSWorld.with { world in
            try await world.startPrograms()
            let (lost, other, epoch) = try await loseHolder(world, "BEGIN EXCLUSIVE")
            let began = ContinuousClock.now
            let next = try await world.leader(after: epoch, within: .seconds(60))
            #expect(next.host.name == other.name)
            print(
                "nfs lab: NFS 4.2: \(lost.name) lost with a lock: \(other.name) leads after \((next.since - began).inSeconds)"
            )
            #expect(other.logs("lease not read", "is locked by another process"), "it does not say what it waits for")
            let committed = try await other.infrakit("group", "commit", "-", input: Self.web)
            #expect(committed.status == 0, "\(committed)")
            #expect(try await other.command("verify").status == 0)
        }
    }

    /// The server never gives it up, until that host is back: nobody can lead, and everybody is told.
    @Test func withVersion3NobodyLeadsUntilTheHostIsBack() async throws {
        try await NFSWorld.with(.init(.v3)) { world in
            try await world.startPrograms()
            let (lost, other, epoch) = try await loseHolder(world, "BEGIN IMMEDIATE")
            // Longer than all times of the lease and of the server.
            #expect(try await world.nextLeader(after: epoch, within: .seconds(25)) == nil)
            #expect(
                other.logs("lease not acquired", "is locked by another process"),
                "it does not say what it waits for"
            )
            let commit = try await other.infrakit("group", "commit", "-", input: Self.web)
            #expect(commit.status == 1 && commit.errors.contains("not the leader"), "\(commit)")
            let rollback = try await other.command("rollback", "1")
            #expect(
                rollback.status == 5 && rollback.errors.contains("is locked by another process; nothing was changed"),
                "\(rollback)"
            )
            // Reading goes on.
            let history = try await other.command("history")
            #expect(history.status == 0 && history.output.contains("web"), "\(history)")
            let status = try await other.command("status")
            #expect(status.status == 4 && status.output.contains("expired"), "\(status)")
            let doctor = try await other.command("doctor")
            #expect(doctor.output.contains("warning  nfs: NFS 3: if a host fails"), "\(doctor)")
            #expect(doctor.output.contains("has not renewed its lease"), "\(doctor)")
            print(
                "nfs lab: NFS 3: \(lost.name) lost with a lock: nobody leads for 25 s and more; doctor says\n\(doctor.output)"
            )

            let began = ContinuousClock.now
            try await world.lab.remedy(.kill(lost.name))
            let next = try await world.leader(after: epoch, within: .seconds(60))
            print("nfs lab: NFS 3: \(lost.name) back: \(next.host.name) leads after \((next.since - began).inSeconds)")
            try await lost.startPrograms()
            let committed = try await world.leader(after: epoch).host.infrakit("group", "commit", "-", input: Self.web)
            #expect(committed.status == 0, "\(committed)")
            #expect(try await other.command("verify").status == 0)
        }
    }

    private static let web =
        #"{"ID":"web","Properties":{"Allocation":{"Size":1},"Instance":{"Properties":{"Command":["sleep","9999"]}}}}"#

    /// Has the leader's host take a lock and be lost with it.
    private func loseHolder(_ world: NFSWorld, _ statement: String) async throws
        -> (lost: NFSHost, other: NFSHost, epoch: Int)
    {
        let before = try await world.leader()
        let (leader, epoch) = (before.host, before.epoch)
        let committed = try await leader.infrakit("group", "commit", "-", input: Self.web)
        try #require(committed.status == 0, "\(committed)")
        let database = "\(NFSHost.storeDirectory)/manager.db"
        let holder = world.lab.start(
            ["sqlite3", "-bail", database, ".timeout 5000", statement, ".shell echo held; sleep 1000"],
            on: leader.name
        )
        try await eventually("the lock is held") {
            if let status = holder.status { throw Trouble("\(statement) ended with \(status): \(holder.text)") }
            return holder.lines.contains { $0.text == "held" }
        }
        leader.noteStandstill(goesOn: false)
        try await world.lab.inflict(.kill(leader.name))
        return (leader, try #require(world.others(than: leader).first), epoch)
    }
}
