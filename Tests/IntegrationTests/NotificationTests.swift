import Glibc
import GroupSPI
import Testing

/// What a service manager hears (sd_notify(3)).
@Suite struct NotificationTests {
    private func launch(
        _ world: World,
        _ host: Host,
        _ socket: String,
        _ more: [String: String] = [:],
        words: [String] = Host.patient
    ) throws -> RunningProgram {
        try host.launchManager(words, environment: ["NOTIFY_SOCKET": socket].merging(more) { _, new in new })
    }

    @Test(arguments: [false, true])
    func tellsItsLife(isAbstract: Bool) async throws {
        try await World.with { world in
            let name = isAbstract ? "@\(world.path)/notify" : "\(world.path)/notify"
            let receiver = try NotificationReceiver(name)
            let n1 = try await world.host("n1")
            let program = try launch(world, n1, name)
            try await eventually("it is ready") { receiver.assignments.contains("READY=1") }
            // Served from this moment on: a call that fails is a failure.
            #expect(try await n1.infrakit("group", "ls", "-q").status == 0)
            let first = try #require(receiver.all.first)
            #expect(first.assignments.contains("READY=1"), "\(first)")
            #expect(first.value("MAINPID") == "\(program.pid)" && first.value("STATUS")?.isEmpty == false, "\(first)")
            try await eventually("it tells that it leads") {
                receiver.assignments.contains("STATUS=leader: holds the lease in epoch 1")
            }

            program.send(SIGTERM)
            try await program.expectEnd(.exit(0))
            let all = receiver.all
            #expect(all.count { $0.assignments.contains("READY=1") } == 1)
            #expect(all.count { $0.assignments.contains("STOPPING=1") } == 1)
            #expect(all.allSatisfy { $0.pid == program.pid })
            #expect(!receiver.assignments.contains("WATCHDOG=1"))
        }
    }

    /// A store that cannot be opened is an end, not a service that is ready.
    @Test func isNotReadyWithoutAStore() async throws {
        try await World.with { world in
            let receiver = try NotificationReceiver("\(world.path)/notify")
            let n1 = try await world.host("n1")
            Files.remove(world.storeDirectory)
            let program = try launch(world, n1, "\(world.path)/notify")
            try await program.expectEnd(.exit(5))
            #expect(receiver.all.isEmpty)
        }
    }

    @Test func aFollowerIsReadyToo() async throws {
        try await World.with { world in
            let (n1, n2) = (try await world.host("n1"), try await world.host("n2"))
            try await n1.startManager()
            try await world.leader(is: n1)
            let receiver = try NotificationReceiver("\(world.path)/notify")
            let program = try launch(world, n2, "\(world.path)/notify")
            try await eventually("it follows") {
                receiver.assignments.contains("STATUS=follower: n1 leads in epoch 1")
            }
            #expect(receiver.assignments.contains("READY=1"))
            try n1.manager.send(SIGTERM)
            try await eventually("it leads") {
                receiver.assignments.contains("STATUS=leader: holds the lease in epoch 2")
            }
            program.send(SIGTERM)
            try await program.expectEnd(.exit(0))
        }
    }

    @Test func pingsTwiceInTheTimeAllowedAndItsGuardDoesNot() async throws {
        try await World.with { world in
            let receiver = try NotificationReceiver("\(world.path)/notify")
            let n1 = try await world.host("n1")
            let start = SuspendingClock.now
            let program = try launch(world, n1, "\(world.path)/notify", ["WATCHDOG_USEC": "400000"])
            try await world.leader(is: n1)
            try await eventually("it pings") { receiver.count(of: "WATCHDOG=1") >= 5 }
            // No more than two in that time; how many fewer depends on the machine.
            let pings = receiver.count(of: "WATCHDOG=1")
            #expect(SuspendingClock.now - start >= .milliseconds(200) * (pings - 1), "\(pings) pings")
            #expect(receiver.all.allSatisfy { $0.pid == program.pid })
            #expect(n1.guards.count == 1)
            for pid in n1.guards { #expect(variables(of: pid).isEmpty) }
            program.send(SIGTERM)
            try await program.expectEnd(.exit(0))
        }
    }

    @Test func aWatchdogForAnotherProcessIsLeftAlone() async throws {
        try await World.with { world in
            let receiver = try NotificationReceiver("\(world.path)/notify")
            let n1 = try await world.host("n1")
            let program = try launch(
                world,
                n1,
                "\(world.path)/notify",
                ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"]
            )
            try await eventually("it leads") { receiver.assignments.contains { $0.hasPrefix("STATUS=leader:") } }
            #expect(!receiver.assignments.contains("WATCHDOG=1"))
            program.send(SIGTERM)
            try await program.expectEnd(.exit(0))
        }
    }

    @Test func whatCannotBeUsedIsAWarning() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            for (socket, more) in [
                ("nowhere", [:]), ("\(world.path)/nobody-listens", ["WATCHDOG_USEC": "x"]),
            ] {
                let program = try launch(world, n1, socket, more)
                try await eventually("it warns and serves") {
                    program.errors.contains("msg=\"listening\"") && program.errors.contains("not understood")
                }
                program.send(SIGTERM)
                try await program.expectEnd(.exit(0))
            }
        }
    }

    @Test func thePluginTellsTooAndItsProcessesDoNot() async throws {
        try await World.with { world in
            let receiver = try NotificationReceiver("\(world.path)/notify")
            let n1 = try world.bareHost("n1")
            let plugin = try world.start(
                .manager,
                ["plugin", "process", "--name", "group-stateless", "--state-dir", "\(world.path)/state"],
                environment: n1.environment.merging(["NOTIFY_SOCKET": "\(world.path)/notify"]) { _, new in new },
                log: "plugin-"
            )
            try await eventually("it is ready") { receiver.assignments.contains("READY=1") }
            let spec =
                #"{"ID":"web","Properties":{"Allocation":{"Size":1},"Instance":{"Plugin":"process","Properties":"#
                + #"{"Command":["sh","-c","while :; do sleep 1; done","\#(world.path)/instance"]}}}}"#
            let committed = try await n1.infrakit("group", "commit", "-", "--name", "group-stateless", input: spec)
            #expect(committed.status == 0, "\(committed)")
            let instance = try await eventually("an instance runs") { () -> pid_t? in
                World.processes(of: world.path).first { pid in
                    (Files.read("/proc/\(pid)/cmdline") ?? "").hasSuffix("\(world.path)/instance\0")
                }
            }
            #expect(variables(of: instance).isEmpty)
            plugin.send(SIGTERM)
            try await plugin.expectEnd(.exit(0))
            #expect(receiver.assignments.contains("STOPPING=1"))
            #expect(receiver.all.allSatisfy { $0.pid == plugin.pid })
        }
    }

    /// Those of a service manager in the environment of a process.
    private func variables(of pid: pid_t) -> [String] {
        (Files.read("/proc/\(pid)/environ") ?? "").split(separator: "\0").map(String.init).filter { entry in
            ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"].contains { entry.hasPrefix("\($0)=") }
        }
    }
}
