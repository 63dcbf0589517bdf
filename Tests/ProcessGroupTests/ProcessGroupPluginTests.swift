import Glibc
import GroupSPI
import Platform
import Testing

@testable import ProcessGroup

/// Real processes: starting, restarting, describing, resizing, ending.
struct ProcessGroupPluginTests {
    @Test func startsAsManyAsAskedFor() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                #expect(try await plugin.call(.watch(Specs.sized(3))) == .ok)
                let instances = try await plugin.converged("cattle", count: 3)
                #expect(harness.leaders.count == 3)
                #expect(instances.map(\.id) == instances.map(\.id).sorted())
                let sha = try ProcessGroupSpec(Specs.sized(3)).configSHA
                let tags: [Identifier: String] = ["infrakit.group": "cattle", "infrakit.config_sha": sha]
                #expect(instances.allSatisfy { $0.logicalID == nil && $0.tags == tags })
                #expect(try await plugin.call(.size(id: "cattle")) == .size(3))
            }
        }
    }

    /// More than are started in one round.
    @Test func startsAndEndsManyAtOnce() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(80)))
                try await plugin.converged("cattle", count: 80)
                #expect(harness.leaders.count == 80)
                try await plugin.call(.destroy(id: "cattle"))
                try await eventually("all have ended") { harness.processes.isEmpty }
            }
        }
    }

    @Test func processHasWhatTheSpecGivesItAndNothingElse() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let command = #"""
                    ["/bin/sh", "-c", "pwd; echo $A-$INFRAKIT_GROUP-$INFRAKIT_INSTANCE; ls /proc/self/fd | wc -w; cat; echo end >&2; exec sleep 60"]
                    """#
                let more = #", "Environment": {"A": "b c"}, "Directory": "/usr""#
                try await plugin.call(.watch(Specs.sized(1, command: command, more: more)))
                let instance = try #require(try await plugin.converged("cattle", count: 1).first)
                let log = "\(harness.state)/logs/cattle/\(instance.id).log"
                // Standard input is empty (`cat` ends), and `ls` has but the three standard files and the folder.
                let expected = "/usr\nb c-cattle-\(instance.id)\n4\nend\n"
                try await eventually("the process has written its log") {
                    File.read(log).map { String(decoding: $0, as: UTF8.self) } == expected
                }
                let leader = try await harness.leader()
                #expect(getsid(leader) == leader)
                #expect(getpgid(leader) == leader)
            }
        }
    }

    @Test func restartsWhatDies() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(2)))
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
                // Collected, not left as a zombie.
                #expect(ProcessTable.entry(victim) == nil)
            }
        }
    }

    @Test func clearsAwayWhatADeadProcessLeavesBehind() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let command = #"["/bin/sh", "-c", "sleep 60 & wait"]"#
                try await plugin.call(.watch(Specs.sized(1, command: command)))
                try await eventually("the shell has a child") { harness.processes.count == 2 }
                let before = harness.processes
                let shell = try #require(before.first { $0.pid == $0.session })
                kill(shell.pid, SIGKILL)
                try await eventually("both are replaced") {
                    let now = harness.processes
                    return now.count == 2 && now.allSatisfy { entry in !before.contains { $0.pid == entry.pid } }
                }
            }
        }
    }

    @Test func crashLoopBacksOff() async throws {
        var options = ProcessGroupOptions.quick
        options.backoff = RestartBackoff(initial: .seconds(3600), maximum: .seconds(3600), longLife: .seconds(3600))
        try await PluginHarness.with { harness in
            try await harness.withPlugin(options) { plugin in
                let starts = "\(harness.folder)/starts"
                let command = #"["/bin/sh", "-c", "echo x >> \#(starts); exit 3"]"#
                try await plugin.call(.watch(Specs.sized(1, command: command)))
                let ended = "a process has ended and will be restarted"
                try await eventually("it has died twice") { harness.log.count(ended) == 2 }
                // The first death is mended at once, the second waits for an hour: every further look changes nothing.
                for _ in 0..<5 { #expect(try await plugin.describe("cattle").isConverged == false) }
                #expect(File.read(starts)?.count == 4)
                #expect(harness.log.count("started a process") == 2)
                #expect(try await plugin.instances("cattle").isEmpty)
            }
        }
    }

    @Test func missingProgramIsTriedAgain() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let program = "\(harness.folder)/program"
                try File.replace(program, with: Array("#!/bin/sh\nexec sleep 60\n".utf8))
                chmod(program, 0o700)
                try await plugin.call(.watch(Specs.sized(1, command: #"["\#(program)"]"#)))
                try await plugin.converged("cattle", count: 1)
                #expect(rename(program, "\(program).away") == 0)
                kill(try await harness.leader(), SIGKILL)
                try await eventually("a start fails") { try await plugin.instances("cattle").isEmpty }
                #expect(rename("\(program).away", program) == 0)
                try await plugin.converged("cattle", count: 1)
            }
        }
    }

    @Test func logicalIDsHaveOneProcessEach() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.commit(Specs.named(["a", "b"]), pretend: false))
                let instances = try await plugin.converged("pets", count: 2)
                #expect(Set(instances.map(\.logicalID)) == ["a", "b"])
                try await plugin.call(.commit(Specs.named(["b", "c", "d"]), pretend: false))
                let after = try await plugin.converged("pets", count: 3)
                #expect(Set(after.map(\.logicalID)) == ["b", "c", "d"])
                let kept = { (all: [InstanceDescription]) in all.first { $0.logicalID == "b" }?.id }
                #expect(kept(instances) == kept(after))
            }
        }
    }

    @Test func setSizeChangesTheNumberOnly() async throws {
        let text = "{ \"Flavor\":1.0e2,\n \"allocation\":{\"x\":\"\\u0041\",  \"size\" :  2 },\n"
        let rest = " \"Instance\":{\"Properties\":{\"Command\":[\"sleep\",\"60\"]}}}"
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let spec = GroupSpec(id: "cattle", properties: try RawJSON(text + rest))
                try await plugin.call(.watch(spec))
                #expect(try await plugin.call(.inspect) == .groups([spec]))
                let before = try await plugin.converged("cattle", count: 2).map(\.id)
                #expect(try await plugin.call(.setSize(id: "cattle", 4)) == .ok)
                let after = try await plugin.converged("cattle", count: 4).map(\.id)
                #expect(Set(after).isSuperset(of: before))
                let resized = text.replacing(":  2 }", with: ":  4 }") + rest
                #expect(
                    try await plugin.call(.inspect)
                        == .groups([GroupSpec(id: "cattle", properties: try RawJSON(resized))])
                )
                #expect(try await plugin.call(.size(id: "cattle")) == .size(4))
                try await plugin.call(.setSize(id: "cattle", 0))
                try await plugin.converged("cattle", count: 0)
                try await eventually("all have ended") { harness.processes.isEmpty }
            }
        }
    }

    @Test func destroyedInstancesAreReplaced() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(2)))
                let before = try await plugin.converged("cattle", count: 2).map(\.id)
                await #expect(throws: GroupError(.rejected, "Group 'cattle' has no instance 'x'; none was destroyed")) {
                    try await plugin.call(.destroyInstances(id: "cattle", [before[0], "x"]))
                }
                try await plugin.call(.destroyInstances(id: "cattle", [before[0]]))
                let after = try await plugin.converged("cattle", count: 2).map(\.id)
                #expect(after.contains(before[1]))
                #expect(!after.contains(before[0]))
            }
        }
    }

    @Test func destroyEndsEverythingInTheProcessGroup() async throws {
        var options = ProcessGroupOptions.quick
        options.stopGrace = .milliseconds(100)
        try await PluginHarness.with { harness in
            try await harness.withPlugin(options) { plugin in
                // The child ignores SIGTERM, and its parent ends at it: only SIGKILL to the group reaches the child.
                let command = #"["/bin/sh", "-c", "(trap '' TERM; sleep 60; sleep 60) & echo; wait"]"#
                try await plugin.call(.watch(Specs.sized(2, command: command)))
                try await eventually("all have started") { harness.processes.count == 6 }
                #expect(try await plugin.call(.destroy(id: "cattle")) == .ok)
                #expect(try await plugin.call(.inspect) == .groups([]))
                try await eventually("nothing runs") { harness.processes.isEmpty }
                try await eventually("nothing is kept") {
                    ["instances", "locks", "logs"].allSatisfy { File.names(in: "\(harness.state)/\($0)").isEmpty }
                }
                await #expect(throws: GroupError.notWatched("cattle")) {
                    try await plugin.call(.destroy(id: "cattle"))
                }
            }
        }
    }

    @Test func groupMayBeWatchedAgainWhileItIsDestroyed() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.named(["a"])))
                let before = try await plugin.converged("pets", count: 1).map(\.id)
                try await plugin.call(.destroy(id: "pets"))
                try await plugin.call(.watch(Specs.named(["a"])))
                let after = try await plugin.converged("pets", count: 1).map(\.id)
                #expect(before != after)
                #expect(harness.leaders.count == 1)
            }
        }
    }

    @Test func largeLogBecomesTheOldLog() async throws {
        var options = ProcessGroupOptions.quick
        options.maximumLogSize = 100
        try await PluginHarness.with { harness in
            try await harness.withPlugin(options) { plugin in
                let command = #"["/bin/sh", "-c", "printf '%0100d\n' $$; exec sleep 60"]"#
                try await plugin.call(.watch(Specs.sized(1, command: command)))
                let instance = try #require(try await plugin.converged("cattle", count: 1).first)
                let log = "\(harness.state)/logs/cattle/\(instance.id).log"
                for _ in 0..<3 {
                    let leader = try await harness.leader()
                    kill(leader, SIGKILL)
                    try await eventually("another one writes") {
                        harness.leaders.count == 1 && !harness.leaders.contains(leader)
                            && File.read(log)?.count == 101
                    }
                }
                #expect(File.read("\(log).old")?.count == 101)
                #expect(File.names(in: "\(harness.state)/logs/cattle").count == 2)
            }
        }
    }
}
