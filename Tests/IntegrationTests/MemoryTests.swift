import Glibc
import GroupSPI
import Testing

/// What is resident of a program that has started.
@Suite struct MemoryTests {
    @Test func whatOnlyTheStartHasTouchedIsGivenBack() async throws {
        try await World.with { world in
            let (n1, n2) = (try await world.host("n1"), try await world.host("n2"))
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            for (role, host) in [("leader", n1), ("follower", n2)] {
                try await expectLess("the \(role)", try host.manager.pid)
                let watcher = try await eventually("\(host.name) has a guard") { host.guards.first }
                try await expectLess("the guard of the \(role)", watcher)
            }
            // What comes back on demand is what was there.
            try await n1.commit("a", 1)
            #expect(try await n1.infrakit("group", "ls", "-q").status == 0)
        }
    }

    @Test func soItIsByTheBuiltInPlugin() async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            let plugin = try world.start(
                .manager,
                ["plugin", "process", "--name", "group-stateless", "--state-dir", "\(world.path)/state"],
                environment: n1.environment,
                log: "plugin-"
            )
            try await expectLess("the plugin", plugin.pid)
            plugin.send(SIGTERM)
            try await plugin.expectEnd(.exit(0))
        }
    }

    /// Nothing else makes resident memory shrink by a tenth: not even what is freed is much less than what is needed again.
    private func expectLess(_ what: String, _ pid: pid_t) async throws {
        try await eventually("\(what) needs less memory than its start did") {
            guard let most = kibibytes("VmHWM", of: pid), let now = kibibytes("VmRSS", of: pid) else {
                throw Trouble("\(what) has ended")
            }
            return now * 10 < most * 9
        }
    }

    private func kibibytes(_ field: String, of pid: pid_t) -> Int? {
        let line = Files.read("/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix("\(field):") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }
}
