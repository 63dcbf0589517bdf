import GroupSPI
import Terminal
import Testing

@testable import CLI
@testable import Store

/// What `status` and `doctor` print, of a manager that answers on this host and without one.
@Suite struct StatusGoldenTests {
    private static func replica(_ role: String, _ reason: String, plugin error: String? = nil) -> JSON {
        [
            "id": "n2/group", "role": .string(role), "reason": .string(reason),
            "plugin": [
                "name": "group-stateless", "reachable": .bool(error == nil), "error": .string(error),
            ],
        ]
    }

    private static let leader = replica("leader", "holds the lease in epoch 2")
    private static let follower = replica(
        "follower",
        "n2/group leads in epoch 2",
        plugin: "nobody listens at the socket"
    )

    @Test(arguments: [("leader", leader, CLI.ExitStatus.done), ("follower", follower, .notLeader)])
    func statusOfAReplica(_ name: String, _ replica: JSON, _ status: CLI.ExitStatus) async throws {
        try await Scene.scripted { scene in
            try await scene.withReplica(replica) {
                try await scene.expect("status", golden: "status.\(name).txt", status: status)
                try await scene.expect("status -o json", golden: "status.\(name).json", status: status)
            }
        }
    }

    @Test func statusWhereNoManagerRuns() async throws {
        try await Scene.scripted { scene in
            try await scene.expect("status", golden: "status.elsewhere.txt")
            try await scene.expect("status -o json", golden: "status.elsewhere.json")
        }
    }

    @Test func statusOfALeaseThatRanOut() async throws {
        try await Scene.scripted { scene in
            let later = Timestamp(milliseconds: Scene.time(63))
            try await scene.withReplica(Self.follower) {
                try await scene.expect("status", golden: "status.expired.txt", status: .noLeader, now: later)
                try await scene.expect("status -o json", golden: "status.expired.json", status: .noLeader, now: later)
            }
        }
    }

    /// A copy of a swarm's history, read two seconds ago.
    private func copy(_ scene: Scene, leader: Identifier = "h2", trouble: String? = nil) async throws {
        let swarm = LocalReplicaInfo(
            cluster: "9pkzmbp20a1d4",
            node: "b7qvrt53vk2x1",
            leader: leader,
            position: 9,
            version: 41,
            labelSize: 18_200,
            labelLimit: 1_400_000,
            readAt: Scene.time(60)
        )
        _ = try await scene.store.apply(nil, swarm, within: patience)
        if let trouble { try await scene.store.setReplicaTrouble(trouble, within: patience) }
    }

    @Test func statusOfASwarm() async throws {
        try await Scene.scripted { scene in
            try await copy(scene)
            try await scene.withReplica(Self.leader) {
                try await scene.expect("status", golden: "status.swarm.txt")
                try await scene.expect("status -o json", golden: "status.swarm.json")
            }
        }
        try await Scene.scripted { scene in
            try await copy(scene, leader: "", trouble: "the Engine at /var/run/docker.sock does not answer")
            try await scene.withReplica(Self.follower) {
                try await scene.expect("status", golden: "status.swarm-trouble.txt", status: .notLeader)
                try await scene.expect("status -o json", golden: "status.swarm-trouble.json", status: .notLeader)
            }
        }
    }

    /// A node that was demoted, locked or cut off knows nothing of the leader any more, whatever it knew.
    @Test func whoLeadsIsNotKnownToANodeThatIsToldNothing() async throws {
        try await Scene.scripted { scene in
            try await copy(scene, trouble: "the Engine at /var/run/docker.sock is a swarm worker")
            let known = await scene.run("status", now: Self.at(5))
            #expect(known.output.contains("in epoch") && !known.output.contains("Leader:    not known"), "\(known)")
            let unknown = await scene.run("status", now: Self.at(6))
            #expect(unknown.status == .noLeader && unknown.output.contains("Leader:    not known ("), "\(unknown)")
            #expect(unknown.output.contains("the leading node is not known"))
            #expect(await scene.run("status -o json", now: Self.at(6)).output.contains("\"leader\": null"))
            let doctor = await scene.run("doctor", now: Self.at(6))
            #expect(doctor.status == .failed && doctor.output.contains("is a swarm worker"), "\(doctor)")
        }
    }

    /// Whoever reads an old copy is told how old it is, and why; the results stay as they are.
    @Test(arguments: ["status", "history", "show", "diff 1", "leadership", "export"])
    func anOldCopySaysSo(_ line: String) async throws {
        let reason = "the Engine at /var/run/docker.sock does not answer"
        try await Scene.scripted { scene in
            let own = await scene.run(line, now: Self.at(16))
            try await copy(scene)
            let fresh = await scene.run(line, now: Self.at(15))
            #expect(fresh.errors.isEmpty && fresh.status == own.status, "\(fresh)")
            let old = await scene.run(line, now: Self.at(16))
            #expect(
                old.errors
                    == "note: this node's copy of the swarm's state was read 16 seconds ago: no manager on this node updates it\n",
                "\(old)"
            )
            if line != "status" { #expect(old.output == own.output && old.status == own.status) }
            // A clock that was set back makes nothing fresh.
            let back = await scene.run(line, now: Self.at(-16))
            #expect(
                back.errors
                    == "note: this node's copy of the swarm's state was read before this host's clock was set back: no manager on "
                    + "this node updates it\n",
                "\(back)"
            )
            try await scene.store.setReplicaTrouble(reason, within: patience)
            let why = await scene.run(line, now: Self.at(16))
            #expect(
                why.errors == "note: this node's copy of the swarm's state was read 16 seconds ago: \(reason)\n",
                "\(why)"
            )
        }
    }

    /// - Parameter seconds: after the copy was read.
    private static func at(_ seconds: Int) -> Timestamp { Timestamp(milliseconds: Scene.time(60) + seconds * 1000) }

    @Test func statusBeforeAnybodyHasLed() async throws {
        try await Scene.with { scene in
            try await scene.withReplica(Self.replica("candidate", "nobody leads")) {
                try await scene.expect("status", golden: "status.nobody.txt", status: .noLeader)
                try await scene.expect("status -o json", golden: "status.nobody.json", status: .noLeader)
            }
        }
    }

    /// The clock that stands differs from that of the file system, of course.
    private func stable(_ finished: Scene.Finished) -> Scene.Finished {
        Scene.Finished(
            words: finished.words,
            status: finished.status,
            output: finished.output.replacing(#/differ by [0-9hms.µn]+/#, with: "differ by <duration>")
                .replacing(
                    #/(takes) [0-9hms.µn]+; a --lease-ttl of [0-9hms]+ or/#,
                    with: "takes <duration>; a --lease-ttl of <duration> or"
                )
                .replacing(#/ran out [0-9]+ [a-z]+ ago/#, with: "ran out <age>"),
            errors: finished.errors
        )
    }

    @Test(arguments: [("doctor", "txt"), ("doctor -o json", "json")])
    func doctor(_ line: String, _ kind: String) async throws {
        try await Scene.scripted { scene in
            let alone = await scene.run(line)
            try scene.expect(stable(alone), golden: "doctor.alone.\(kind)")
            try await scene.withReplica(Self.leader) {
                // By the clock of this host, the scene's lease is long over; the clocks agree.
                let finished = await scene.run(line, clock: Timestamp.now)
                try scene.expect(stable(finished), golden: "doctor.manager.\(kind)")
            }
            try await scene.withReplica(Self.follower) {
                let finished = await scene.run(line)
                try scene.expect(stable(finished), golden: "doctor.plugin.\(kind)", status: .failed)
            }
        }
        try await Scene.with { scene in
            let finished = await scene.run(line)
            try scene.expect(stable(finished), golden: "doctor.empty.\(kind)")
        }
        try await Scene.with { scene in
            let finished = await scene.run("\(line) --store-dir \(scene.directory)/nowhere")
            try scene.expect(stable(finished), golden: "doctor.nowhere.\(kind)", status: .failed)
        }
    }

    @Test func doctorIsColoredForTerminals() async throws {
        try await Scene.scripted { scene in
            let colored = await scene.run("doctor", isTerminal: true)
            try scene.expect(stable(colored), golden: "doctor.colored.txt")
            let plain = await scene.run("doctor", isTerminal: true, environment: ["NO_COLOR": "1"])
            try scene.expect(stable(plain), golden: "doctor.alone.txt")
        }
    }
}
