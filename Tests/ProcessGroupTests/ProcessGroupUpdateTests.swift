import Glibc
import GroupSPI
import Platform
import Testing

@testable import ProcessGroup

/// Rolls with real processes: one at a time, halted, superseded, given up.
struct ProcessGroupUpdateTests {
    private func sha(_ spec: GroupSpec) throws -> String { try ProcessGroupSpec(spec).configSHA }

    @Test func rollsOneAtATime() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let (old, new) = (try Specs.sized(3), try Specs.sized(3, more: Specs.version(2)))
                try await plugin.call(.watch(old))
                try await plugin.converged("cattle", count: 3)
                #expect(try await plugin.call(.update(new)) == .ok)
                // The log has every start and stop in its true order, which looking at the processes would miss.
                let steps = harness.log.messages.compactMap { message in
                    ["started a process": "+", "stopping a process": "-"][message]
                }
                #expect(steps.joined() == "++++-+-+-")
                let after = try await plugin.describe("cattle")
                #expect(after.isConverged == true)
                let expected = try sha(new)
                #expect(after.decodedInstances.allSatisfy { $0.tags["infrakit.config_sha"] == expected })
                #expect(harness.leaders.count == 3)
            }
        }
    }

    @Test func logicalIDsAreNeverDoubled() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                // Each takes a name that only one may have, and says so when it is taken.
                let command = #"""
                    ["/bin/sh", "-c", "mkdir \#(harness.folder)/$INFRAKIT_LOGICAL_ID || echo taken >> \#(harness.folder)/taken; trap 'rmdir \#(harness.folder)/$INFRAKIT_LOGICAL_ID; exit' TERM; sleep 60 & wait"]
                    """#
                try await plugin.call(.watch(Specs.named(["a", "b"], command: command)))
                try await eventually("both have their names") {
                    Set(File.names(in: harness.folder)).isSuperset(of: ["a", "b"])
                }
                try await plugin.call(.update(Specs.named(["a", "b"], command: command, more: Specs.version(2))))
                let after = try await plugin.converged("pets", count: 2)
                #expect(Set(after.map(\.logicalID)) == ["a", "b"])
                #expect(File.read("\(harness.folder)/taken") == nil)
            }
        }
    }

    @Test func stopUpdateHaltsTheRoll() async throws {
        // The new version never settles, so the update waits until it is stopped.
        var options = ProcessGroupOptions.quick
        try await PluginHarness.with { harness in
            try await harness.withPlugin(options) { plugin in
                try await plugin.call(.watch(Specs.sized(2)))
                try await plugin.converged("cattle", count: 2)
                await #expect(throws: GroupError(.rejected, "Group 'cattle' is not being updated")) {
                    try await plugin.call(.stopUpdate(id: "cattle"))
                }
            }
            let before = harness.leaders
            options.settleTime = .seconds(3600)
            try await harness.withPlugin(options) { plugin in
                try await plugin.call(.watch(Specs.sized(2)))
                let update = Task { try await plugin.call(.update(Specs.sized(4, more: Specs.version(2)))) }
                try await eventually("the new one runs, and never settles") { harness.leaders.count == 3 }
                #expect(try await plugin.call(.stopUpdate(id: "cattle")) == .ok)
                await #expect(throws: GroupError(.rejected, "Update halted by user")) { _ = try await update.value }
                try await eventually("the new one is taken back") { harness.leaders == before }
                #expect(try await plugin.describe("cattle").isConverged == false)
                await #expect(throws: GroupError(.rejected, "Group 'cattle' is not being updated")) {
                    try await plugin.call(.stopUpdate(id: "cattle"))
                }
                // What dies is still replaced.
                kill(try #require(before.first), SIGKILL)
                try await eventually("it is replaced") {
                    harness.leaders.count == 2 && harness.leaders != before
                }
            }
        }
    }

    @Test func haltedUpdateGoesOnWithTheNext() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(2)))
                try await plugin.converged("cattle", count: 2)
                let broken = try Specs.sized(2, command: #"["/bin/sh", "-c", "exit 7"]"#)
                let error = await #expect(throws: GroupError.self) { try await plugin.call(.update(broken)) }
                #expect(error?.code == .rejected)
                let message = try #require(error?.message)
                #expect(message.contains("the new process ended with exit status 7, 3 times in a row"), "\(message)")
                #expect(message.contains("\(harness.state)/logs/cattle/instance-"), "\(message)")
                try await eventually("only the old ones run") {
                    let instances = try await plugin.instances("cattle")
                    let old = try sha(Specs.sized(2))
                    return instances.count == 2 && instances.allSatisfy { $0.tags["infrakit.config_sha"] == old }
                }
                let fixed = try Specs.sized(2, more: Specs.version(3))
                #expect(try await plugin.call(.update(fixed)) == .ok)
                let after = try await plugin.converged("cattle", count: 2)
                let expected = try sha(fixed)
                #expect(after.allSatisfy { $0.tags["infrakit.config_sha"] == expected })
            }
        }
    }

    @Test(arguments: ["update", "commit", "free", "destroy"])
    func aWaitingUpdateIsAnsweredWhen(event: String) async throws {
        var options = ProcessGroupOptions.quick
        options.settleTime = .seconds(3600)
        try await PluginHarness.with { harness in
            try await harness.withPlugin(options) { plugin in
                try await plugin.call(.watch(Specs.sized(1)))
                let update = Task { try await plugin.call(.update(Specs.sized(1, more: Specs.version(2)))) }
                try await eventually("the update is under way") {
                    guard case .groups(let specs) = try await plugin.call(.inspect) else { return false }
                    return specs.first?.properties.text.contains("VERSION") == true
                }
                let expected: String
                switch event {
                case "update":
                    // Its own wait ends with the free below.
                    let second = Task { try await plugin.call(.update(Specs.sized(1, more: Specs.version(3)))) }
                    await #expect(throws: GroupError.self) { _ = try await update.value }
                    try await plugin.call(.free(id: "cattle"))
                    await #expect(throws: GroupError.self) { _ = try await second.value }
                    expected = "Update halted: a newer specification replaces it"
                case "commit":
                    try await plugin.call(.commit(Specs.sized(1, more: Specs.version(3)), pretend: false))
                    expected = "Update halted: a newer specification replaces it"
                case "free":
                    try await plugin.call(.free(id: "cattle"))
                    expected = "Update halted: group 'cattle' is no longer watched"
                default:
                    try await plugin.call(.destroy(id: "cattle"))
                    expected = "Update halted: group 'cattle' was destroyed"
                }
                await #expect(throws: GroupError(.rejected, expected)) { _ = try await update.value }
            }
        }
    }

    @Test func updateOfAStoppingPluginIsAnswered() async throws {
        var options = ProcessGroupOptions.quick
        options.settleTime = .seconds(3600)
        try await PluginHarness.with { harness in
            var waiting: Task<GroupReply, any Error>?
            try await harness.withPlugin(options) { plugin in
                try await plugin.call(.watch(Specs.sized(1)))
                let new = try Specs.sized(1, more: Specs.version(2))
                waiting = Task { try await plugin.call(.update(new)) }
                try await eventually("the update is under way") {
                    try await plugin.call(.inspect) == .groups([new])
                }
            }
            let error = await #expect(throws: GroupError.self) { try await waiting?.value }
            #expect(error?.code == .unknownOutcome)
        }
    }

    @Test func abandonedUpdateGoesOn() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(2)))
                try await plugin.converged("cattle", count: 2)
                let new = try Specs.sized(2, more: Specs.version(2))
                let task = Task { try await plugin.call(.update(new)) }
                task.cancel()
                let error = await #expect(throws: GroupError.self) { try await task.value }
                #expect(error?.code == .unknownOutcome)
                let expected = try sha(new)
                try await eventually("the roll is through") {
                    let instances = try await plugin.instances("cattle")
                    return instances.count == 2 && instances.allSatisfy { $0.tags["infrakit.config_sha"] == expected }
                }
            }
        }
    }
}
