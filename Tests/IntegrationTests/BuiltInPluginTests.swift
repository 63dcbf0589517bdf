import Glibc
import GroupSPI
import Store
import Testing

/// `infrakit-manager plugin process` behind the manager: real processes.
@Suite struct BuiltInPluginTests {
    private func spec(_ world: World, _ size: Int) -> String {
        // The words of the command are those by which the test finds its processes.
        #"{"ID":"web","Properties":{"Allocation":{"Size":\#(size)},"Instance":{"Plugin":"process","Properties":"#
            + #"{"Command":["sh","-c","while :; do sleep 1; done","\#(world.path)/instance"]}}}}"#
    }

    private func instances(_ world: World) -> Set<pid_t> {
        Set(
            World.processes(of: world.path).filter { pid in
                (Files.read("/proc/\(pid)/cmdline") ?? "").hasSuffix("\(world.path)/instance\0")
            }
        )
    }

    private func startPlugin(
        _ world: World,
        _ host: Host,
        environment: [String: String] = [:]
    ) async throws -> RunningProgram {
        let plugin = try world.start(
            .manager,
            ["plugin", "process", "--name", "group-stateless", "--state-dir", "\(world.path)/state-\(host.name)"],
            environment: host.environment.merging(environment) { _, new in new },
            log: "\(host.name)-plugin-"
        )
        try await eventually("the plugin serves its socket") { Files.exists(host.plugin.socketPath) }
        return plugin
    }

    @Test func itsProcessesDoNotHaveItsSecrets() async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            let secrets = ["API_TOKEN": "secret", "LC_ALL": "C.UTF-8"]
            let plugin = try await startPlugin(world, n1, environment: secrets)
            let committed = try await n1.infrakit(
                "group",
                "commit",
                "-",
                "--name",
                "group-stateless",
                input: spec(world, 1)
            )
            #expect(committed.status == 0, "\(committed)")
            let instance = try await eventually("one runs") { instances(world).first }
            let variables = (Files.read("/proc/\(instance)/environ") ?? "").split(separator: "\0").map(String.init)
            #expect(variables.contains("INFRAKIT_GROUP=web") && variables.contains("LC_ALL=C.UTF-8"), "\(variables)")
            #expect(!variables.contains { $0.hasPrefix("API_TOKEN") || $0.hasPrefix("INFRAKIT_STORE_DIR") })
            // The end of a terminal is an orderly one.
            plugin.send(SIGHUP)
            try await plugin.expectEnd(.exit(0))
        }
    }

    @Test func keepsAGroupsProcessesRunning() async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            let plugin = try await startPlugin(world, n1)
            try await n1.startManager()
            try await world.leader()
            let committed = try await n1.infrakit("group", "commit", "-", input: spec(world, 2))
            #expect(committed.status == 0 && committed.output.hasPrefix("Committed web: "), "\(committed)")
            try await eventually("two run") { instances(world).count == 2 }
            let described = try await n1.infrakit("group", "describe", "-q", "web")
            #expect(described.output.split(separator: "\n").count == 2, "\(described)")

            // One ends, another takes its place.
            let before = instances(world)
            let victim = try #require(before.first)
            kill(victim, SIGKILL)
            try await eventually("another took its place") {
                let now = instances(world)
                return now.count == 2 && !now.contains(victim)
            }

            #expect(try await n1.infrakit("group", "commit", "-", input: spec(world, 4)).status == 0)
            try await eventually("four run") { instances(world).count == 4 }
            let rollback = try await world.manager("rollback", "1")
            #expect(rollback.status == 0, "\(rollback)")
            try await eventually("two run again") { instances(world).count == 2 }

            // A free leaves the processes alone, and so does the end of manager and plugin.
            #expect(try await n1.infrakit("group", "free", "web").status == 0)
            let left = instances(world)
            #expect(left.count == 2)
            #expect(try await world.manager("rollback", "1").status == 0)
            #expect(instances(world) == left, "the processes were not the same after a free and a watch")
            try n1.manager.send(SIGTERM)
            try await n1.manager.expectEnd(.exit(0))
            plugin.send(SIGTERM)
            try await plugin.expectEnd(.exit(0))
            #expect(instances(world) == left)

            // Both come back and find them.
            _ = try await startPlugin(world, n1)
            try await n1.startManager()
            try await world.leader(is: n1, after: 1)
            try await eventually("the group is described again") {
                try await n1.infrakit("group", "describe", "-q", "web").output.split(separator: "\n").count == 2
            }
            #expect(instances(world) == left)
            #expect(try await n1.infrakit("group", "destroy", "web").status == 0)
            try await eventually("none runs") { instances(world).isEmpty }
        }
    }

    @Test func whatItRefusesIsTold() async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            _ = try await startPlugin(world, n1)
            try await n1.startManager()
            try await world.leader()
            let text = #"{"ID":"web","Properties":{"Allocation":{"Size":1},"Instance":{"Properties":{"Command":[]}}}}"#
            let refused = try await n1.infrakit("group", "commit", "-", input: text)
            #expect(refused.status == 1 && refused.errors.contains("Command"), "\(refused)")
            #expect(try await world.history().map(\.status.name) == ["rejected"])
            #expect(try await n1.infrakit("group", "commit", "-", input: spec(world, 1)).status == 0)
            try await eventually("one runs") { instances(world).count == 1 }
        }
    }

    @Test func aKilledLeadersProcessesAreTakenOverByTheOtherHostsPlugin() async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            let n2 = try world.bareHost("n2")
            for host in [n1, n2] { _ = try await startPlugin(world, host) }
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            #expect(try await n1.infrakit("group", "commit", "-", input: spec(world, 2)).status == 0)
            try await n1.manager.crash()
            try await world.leader(is: n2)
            try await eventually("n2 runs two of its own") {
                try await n2.infrakit("group", "describe", "-q", "web").output.split(separator: "\n").count == 2
            }
            // The old plugin lets go, and watches nothing any more.
            let listed = try await n1.infrakit("group", "ls", "-q", "--name", "group-stateless")
            #expect(listed.status == 0 && listed.output.isEmpty, "\(listed)")
        }
    }
}
