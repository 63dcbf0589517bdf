import Glibc
import GroupSPI
import Testing

@testable import ProcessGroup

/// Real processes: starting, restarting, describing, resizing.
struct ProcessGroupPluginTests {
    @Test func startsAsManyAsAskedFor() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                #expect(try await plugin.call(.watch(try Specs.sized(3))) == .ok)
                let instances = try await plugin.converged("cattle", count: 3)
                #expect(harness.leaders.count == 3)
                #expect(instances.map(\.id) == instances.map(\.id).sorted())
                let sha = try ProcessGroupSpec(try Specs.sized(3)).configSHA
                #expect(
                    instances.allSatisfy {
                        $0.logicalID == nil
                            && $0.tags == ["infrakit.group": "cattle", "infrakit.config_sha": sha]
                    }
                )
            }
        }
    }

    @Test func restartsWhatDies() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(try Specs.sized(2)))
                try await plugin.converged("cattle", count: 2)
                let before = harness.leaders
                let victim = try #require(before.min())
                kill(victim, SIGKILL)
                try await eventually("another process runs") {
                    let now = harness.leaders
                    return now.count == 2 && !now.contains(victim)
                }
                #expect(harness.leaders.intersection(before).count == 1)
                try await plugin.converged("cattle", count: 2)
            }
        }
    }
}
