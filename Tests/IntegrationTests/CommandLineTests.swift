import GroupSPI
import Store
import Testing

/// Words, flags, variables and exit statuses.
@Suite struct CommandLineTests {
    @Test func aFollowerSaysWhatItIs() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            try await n2.waitUntilFollowing(n1)
            // Until its guard is ready, that is the reason.
            try await eventually("n2 names the leader as its reason") {
                let status = try await n2.command("status", "-o", "json")
                return try status.json().at("replica", "reason")?.string?.contains("n1 leads") == true
            }
            let follower = try await n2.command("status", "-o", "json")
            #expect(follower.status == 3, "\(follower)")
            #expect(try follower.json().at("replica", "role")?.string == "follower", "\(follower)")
            #expect(try follower.json().at("replica", "id")?.string == "n2")
        }
    }

    /// The words of a command line are in /proc as well, and so is much that Swift's runtime looks at.
    @Test func withoutProcNothingIsDoneAndThatIsSaid() async throws {
        try await World.with { world in
            for program in [BuiltProgram.manager, .infrakit] {
                let script = "mount -t tmpfs none /proc && exec \"$@\""
                let running = try RunningProgram(
                    ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh", try program.path(), "version"],
                    environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
                    files: "\(world.path)/without-proc-\(program)"
                )
                let end = try await running.end()
                if running.errors.contains("unshare:") || running.errors.contains("mount:") {
                    try Test.cancel("SKIPPED: a host without /proc: \(running.errors)")
                }
                #expect(end == .exit(1) && running.output.isEmpty, "\(end): \(running.output)")
                #expect(running.errors.contains("Mount /proc"), "\(running.errors)")
            }
        }
    }

    @Test func withFewDescriptorsNothingIsDoneAndThatIsSaid() async throws {
        try await World.with { world in
            for program in [BuiltProgram.manager, .infrakit] {
                let running = try RunningProgram(
                    ["/bin/sh", "-c", "ulimit -n 16 && exec \"$@\"", "sh", try program.path(), "version"],
                    environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
                    files: "\(world.path)/few-\(program)"
                )
                let end = try await running.end()
                #expect(end == .exit(1) && running.output.isEmpty, "\(end): \(running.output)")
                #expect(running.errors.contains("may open 16 files"), "\(running.errors)")
            }
        }
    }

    @Test(arguments: [
        ["frob"], ["history", "--frob"], ["history", "-n", "0"], ["history", "-n", "x"], ["history", "-o", "xml"],
        ["history", "--follow", "-o", "json"], ["history", "--since", "yesterday"], ["rollback"], ["rollback", "1x"],
        ["rollback", "1", "--wait", "5"], ["show", "1x"], ["status", "more"], ["os", "--lease-ttl", "9"],
        ["os", "--log", "6"], ["os", "--socket-mode", "999"], ["os", "--plugin-protocol", "morse"],
        ["os", "--lease-ttl", "500ms"], ["os", "--lease-ttl", "5s", "--renew-deadline", "5s"],
        ["os", "--lease-ttl", "9s", "--poll-interval", "3s"], ["plugin", "frob"], ["step-down", "--wait", "-1s"],
    ])
    func wrongWordsAreWrongUsage(_ words: [String]) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let finished = try await world.run(.manager, words, environment: n1.environment)
            #expect(finished.status == 2, "\(finished)")
            #expect(finished.output.isEmpty, "\(finished)")
            // What the library finds is followed by the usage; what contradicts itself names its flags.
            let names = ["Usage:", "--lease-ttl", "--poll-interval", "--since"].contains {
                finished.errors.contains($0)
            }
            #expect(names, "\(finished)")
            #expect(Files.names(in: world.storeDirectory).isEmpty, "something was created")
        }
    }

    @Test func variablesStandForFlags() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let program = try world.start(
                .manager,
                ["os", "--renew-deadline", "6s"],
                environment: n1.environment.merging(
                    [
                        "INFRAKIT_ID": "from-environment", "INFRAKIT_NAME": "boss", "INFRAKIT_LEASE_TTL": "11s",
                        "INFRAKIT_POLL_INTERVAL": "300ms", "INFRAKIT_LOG": "5", "INFRAKIT_LOG_FORMAT": "json",
                        "INFRAKIT_SOCKET_MODE": "640", "INFRAKIT_PROXY_FOR_GROUP": "group-stateless",
                    ]
                ) { _, new in new }
            )
            try await eventually("it leads") { (try? await world.lease().holder) == "from-environment" }
            #expect(try await world.lease().ttl == 11_000)
            #expect(Files.exists("\(n1.directory)/boss") && !Files.exists("\(n1.directory)/group"))
            #expect(program.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("{") }, "\(program.errors)")

            let history = try await world.run(
                .manager,
                ["history"],
                environment: n1.environment.merging(["INFRAKIT_OUTPUT": "json"]) { _, new in new }
            )
            #expect(history.status == 0 && history.output == "[]\n", "\(history)")
            // The command line comes first.
            let table = try await world.run(
                .manager,
                ["history", "-o", "table"],
                environment: n1.environment.merging(["INFRAKIT_OUTPUT": "json"]) { _, new in new }
            )
            #expect(table.status == 0 && table.output.hasPrefix("REV"), "\(table)")
            let wrong = try await world.run(
                .manager,
                ["os"],
                environment: n1.environment.merging(["INFRAKIT_LEASE_TTL": "soon"]) { _, new in new }
            )
            #expect(wrong.status == 2 && wrong.errors.contains("soon"), "\(wrong)")
            program.send(15)
            try await program.expectEnd(.exit(0))
        }
    }

    @Test(arguments: [
        ["--log", "5", "--name", "boss", "os"], ["--log=5", "--name=boss", "os"],
        ["os", "--log", "5", "--name", "boss"], ["os", "--log=5", "--name=boss"],
        ["--name", "boss", "os", "--log=5"],
    ])
    func globalFlagsGoBeforeAndAfterTheVerb(_ words: [String]) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let program = try world.start(.manager, words + ["--id", "n1"], environment: n1.environment)
            try await eventually("it serves its socket") {
                if let ending = program.ending { throw Trouble("\(ending): \(program.errors)") }
                return Files.exists("\(n1.directory)/boss")
            }
            // Only then has it groups to let go: leadership that ends before brings no call.
            try await eventually("it has read what stands") { program.errors.contains("groups loaded") }
            program.send(15)
            try await program.expectEnd(.exit(0))
            // It has let its groups go, and so has connected to its plugin.
            #expect(program.errors.contains("level=debug msg=\"connected to the plugin\""), "\(program.errors)")
        }
    }

    @Test(arguments: [
        ["--log", "5", "version"], ["version", "--log=5"], ["--name=group", "version"], ["--log=5", "history"],
        ["history", "--log", "5"], ["--log", "2", "--name", "x", "show", "1"],
    ])
    func globalFlagsAreAcceptedByEveryVerb(_ words: [String]) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            try await n1.commit("a", 1)
            let finished = try await world.run(.manager, words, environment: n1.environment)
            #expect(finished.status == 0, "\(finished)")
        }
    }

    @Test func helpIsNoErrorAndNamesEveryVerb() async throws {
        try await World.with { world in
            for words in [["-h"], ["--help"], ["help"], []] {
                let finished = try await world.run(.manager, words)
                #expect(finished.status == 0 && finished.errors.isEmpty, "\(finished)")
                for verb in [
                    "os", "history", "show", "rollback", "status", "leadership", "step-down", "plugin", "version",
                ] { #expect(finished.output.contains("  \(verb) "), "help lacks \(verb)") }
                for flag in ["--log", "--name", "--proxy-for-group"] { #expect(finished.output.contains(flag)) }
            }
            for verb in ["os", "history", "show", "rollback", "status", "leadership", "step-down", "version"] {
                let finished = try await world.manager(verb, "--help")
                #expect(finished.status == 0 && finished.output.lowercased().contains("usage: "), "\(finished)")
            }
            let version = try await world.manager("version")
            #expect(version.status == 0 && version.output.hasPrefix("infrakit-manager "), "\(version)")
        }
    }

    @Test func pluginsAreListedWithTheirSockets() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            let listed = try await n1.infrakit("plugin", "ls", "-q")
            #expect(listed.status == 0)
            let lines = listed.output.split(separator: "\n").map { $0.split { $0 == " " || $0 == "\t" } }
            #expect(lines.map { $0.first.map(String.init) } == ["group", "group-stateless"], "\(listed)")
            #expect(lines.map { $0.last.map(String.init) } == ["\(n1.directory)/group", n1.plugin.socketPath])
            let missing = try await n1.infrakit("group", "ls", "--name", "nobody")
            #expect(missing.status == 1 && missing.errors.contains("nobody"), "\(missing)")
        }
    }

    @Test func historyFollows() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            try await n1.commit("a", 1)
            let follow = try world.start(.manager, ["history", "--follow", "-o", "jsonl"], environment: n1.environment)
            try await eventually("it shows what there is") { follow.output.contains(#""revision":1,"#) }
            try await n1.commit("a", 2)
            try await n1.commit("b", 1)
            try await eventually("it shows what comes") { follow.output.contains(#""revision":3,"#) }
            let numbers = follow.output.split(separator: "\n").compactMap { line in
                (try? JSONView(Array(line.utf8)))?.at("revision")?.int
            }
            #expect(numbers == [1, 2, 3])
            follow.send(2)
            try await follow.end()
        }
    }
}
