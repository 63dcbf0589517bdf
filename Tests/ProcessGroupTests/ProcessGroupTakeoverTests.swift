import Glibc
import GroupSPI
import Platform
import Testing

@testable import ProcessGroup

/// Two plugins of one host with one state directory: each group belongs to one of them at a time.
struct ProcessGroupTakeoverTests {
    /// Runs two plugins on one directory.
    private func withTwo(
        _ options: ProcessGroupOptions = .quick,
        _ body: (PluginHarness, ProcessGroupPlugin, ProcessGroupPlugin) async throws -> Void
    ) async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin(options) { first in
                try await harness.withPlugin(options) { second in try await body(harness, first, second) }
            }
        }
    }

    private static var impatient: ProcessGroupOptions {
        var options = ProcessGroupOptions.quick
        options.takeoverPatience = .zero
        return options
    }

    @Test func freedProcessesAreAdoptedByTheOtherPlugin() async throws {
        try await withTwo { harness, first, second in
            let spec = try Specs.named(["a", "b"])
            try await first.call(.commit(spec, pretend: false))
            let before = try await first.converged("pets", count: 2)
            let leaders = harness.leaders
            try await first.call(.free(id: "pets"))
            #expect(try await second.call(.commit(spec, pretend: false)) == .details("Managing 2 instances"))
            #expect(try await second.converged("pets", count: 2) == before)
            #expect(harness.leaders == leaders)
            #expect(harness.log.count("started a process") == 2)

            // The first one has forgotten the group, whatever is asked.
            let calls: [GroupRequest] = [
                .describe(id: "pets"), .size(id: "pets"), .setSize(id: "pets", 1), .destroy(id: "pets"),
                .free(id: "pets"), .update(spec), .destroyInstances(id: "pets", before.map(\.id)),
            ]
            for call in calls {
                await #expect(throws: GroupError.notWatched("pets"), "\(call.method)") { try await first.call(call) }
            }
            #expect(try await first.call(.inspect) == .groups([]))
            #expect(try await second.call(.inspect) == .groups([spec]))
        }
    }

    @Test func destroyEndsWhatTheOtherPluginStarted() async throws {
        try await withTwo { harness, first, second in
            try await first.call(.watch(Specs.sized(2)))
            try await first.converged("cattle", count: 2)
            let leaders = harness.leaders
            try await first.call(.free(id: "cattle"))
            try await second.call(.watch(Specs.sized(2)))
            try await second.call(.destroy(id: "cattle"))
            // Gone altogether: their parent collects them, although they are no longer in its charge.
            try await eventually("they have ended") { leaders.allSatisfy { ProcessTable.entry($0) == nil } }
            try await eventually("nothing is kept") {
                ["instances", "locks", "logs"].allSatisfy { File.names(in: "\(harness.state)/\($0)").isEmpty }
            }
            #expect(harness.processes.isEmpty)
        }
    }

    @Test func adoptsWhatTheOtherPluginMadeOfTheGroup() async throws {
        try await withTwo { harness, first, second in
            try await first.call(.watch(Specs.sized(3)))
            try await first.converged("cattle", count: 3)
            let original = harness.leaders
            try await first.call(.free(id: "cattle"))

            try await second.call(.watch(Specs.sized(3)))
            let victim = try #require(original.min())
            kill(victim, SIGKILL)
            try await eventually("the other one replaces it") {
                harness.leaders.count == 3 && !harness.leaders.contains(victim)
            }
            try await second.call(.setSize(id: "cattle", 4))
            let after = try await second.converged("cattle", count: 4)
            let leaders = harness.leaders
            #expect(leaders.isSuperset(of: original.subtracting([victim])))
            try await second.call(.free(id: "cattle"))

            try await first.call(.watch(Specs.sized(4)))
            #expect(try await first.converged("cattle", count: 4) == after)
            #expect(harness.leaders == leaders)
            // Its own children are its own again, with how they end.
            kill(try #require(original.subtracting([victim]).min()), SIGKILL)
            try await eventually("it is replaced") { harness.leaders.count == 4 && harness.leaders != leaders }
            try await first.converged("cattle", count: 4)
            try await first.call(.destroy(id: "cattle"))
            try await eventually("all have ended") { harness.processes.isEmpty }
        }
    }

    @Test func watchedGroupIsRefusedUntilItIsFreed() async throws {
        try await withTwo(Self.impatient) { harness, first, second in
            let spec = try Specs.sized(1)
            try await first.call(.watch(spec))
            try await first.converged("cattle", count: 1)
            let leaders = harness.leaders
            for call in [GroupRequest.watch(spec), .commit(spec, pretend: false)] {
                let error = await #expect(throws: GroupError.self, "\(call.method)") { try await second.call(call) }
                let message = try #require(error?.message)
                #expect(message.hasPrefix("Group 'cattle' "))
                #expect(message.contains("another plugin on this host"))
                // The manager asks again only if it takes the words for "not yet", also when the code is lost.
                #expect(error?.saysUpdating == true)
                #expect(error?.saysAlreadyWatched == false && error?.saysNotWatched == false)
            }
            await #expect(throws: GroupError.notWatched("cattle")) { try await second.describe("cattle") }
            #expect(try await second.call(.inspect) == .groups([]))
            #expect(harness.leaders == leaders)

            try await first.call(.free(id: "cattle"))
            try await second.call(.watch(spec))
            try await second.converged("cattle", count: 1)
            #expect(harness.leaders == leaders)
        }
    }

    @Test func aGroupThatIsFreedSoonIsWaitedFor() async throws {
        var options = ProcessGroupOptions.quick
        options.takeoverPatience = .seconds(30)
        try await withTwo(options) { harness, first, second in
            try await first.call(.watch(Specs.sized(1)))
            try await first.converged("cattle", count: 1)
            let leaders = harness.leaders
            let taking = Task { try await second.call(.watch(Specs.sized(1))) }
            try await first.call(.free(id: "cattle"))
            #expect(try await taking.value == .ok)
            try await second.converged("cattle", count: 1)
            #expect(harness.leaders == leaders)
        }
    }

    @Test func whatIsStillBeingStoppedKeepsTheGroup() async throws {
        try await PluginHarness.with { harness in
            // One ends when it is told to by this file, and not before.
            let leave = "\(harness.folder)/leave"
            let command = #"["/bin/sh", "-c", "trap '' TERM; until [ -e \#(leave) ]; do sleep 0.02; done"]"#
            var patient = ProcessGroupOptions.quick
            patient.stopGrace = .seconds(60)
            try await harness.withPlugin(patient) { first in
                try await first.call(.watch(Specs.sized(1, command: command)))
                try await first.converged("cattle", count: 1)
                let old = try await harness.leader()
                try await eventually("it ignores SIGTERM") { ProcessTable.ignoresTermination(old) }
                try await first.call(.destroy(id: "cattle"))
                try await harness.withPlugin(Self.impatient) { second in
                    let spec = try Specs.sized(1)
                    let error = await #expect(throws: GroupError.self) { try await second.call(.watch(spec)) }
                    #expect(error?.saysUpdating == true)
                    try File.replace(leave, with: [])
                    try await eventually("the group is to be had") {
                        (try? await second.call(.watch(spec))) == .ok
                    }
                    try await second.converged("cattle", count: 1)
                    #expect(try await harness.leader() != old)
                }
            }
        }
    }

    @Test func oneOfTwoThatWatchAtOnceWins() async throws {
        try await withTwo(Self.impatient) { harness, first, second in
            let names: [Identifier] = (0..<20).map { "group-\($0)" }
            for name in names {
                let spec = try Specs.sized(1, id: name)
                async let one = Self.error(of: .watch(spec), first)
                async let other = Self.error(of: .commit(spec, pretend: false), second)
                let errors = await [one, other].compactMap(\.self)
                #expect(errors.count == 1)
                #expect(errors.first?.saysUpdating == true)
            }
            try await eventually("one process per group") { harness.leaders.count == names.count }
            #expect(harness.log.count("started a process") == names.count)
        }
    }

    private static func error(of request: GroupRequest, _ plugin: ProcessGroupPlugin) async -> GroupError? {
        do throws(GroupError) {
            try await plugin.call(request)
            return nil
        } catch {
            return error
        }
    }

    /// As a SIGKILL leaves things: the records and the lock's file are there, and nobody holds the lock.
    @Test func killedPluginLosesItsGroups() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { second in
                var first: ProcessGroupPlugin? = try harness.makePlugin()
                try await first?.call(.watch(Specs.sized(2)))
                try await eventually("both have started") { harness.leaders.count == 2 }
                let leaders = harness.leaders
                let ids = Set(try await first?.instances("cattle").map(\.id) ?? [])
                first = nil
                #expect(File.names(in: "\(harness.state)/locks") == ["cattle.lock"])

                try await second.call(.commit(Specs.sized(2), pretend: false))
                let after = try await second.converged("cattle", count: 2)
                #expect(Set(after.map(\.id)) == ids)
                #expect(harness.leaders == leaders)
                try await second.call(.destroy(id: "cattle"))
                try await eventually("all have ended") { harness.processes.isEmpty }
                // Children of this process, whose plugin is no more.
                for leader in leaders { waitpid(leader, nil, 0) }
            }
        }
    }

    @Test func killedProcessLosesTheLock() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin(Self.impatient) { plugin in
                let lock = "\(harness.state)/locks/cattle.lock"
                let holder = try ProcessSpawner(
                    program: "/usr/bin/flock",
                    arguments: ["flock", "--no-fork", lock, "sleep", "60"],
                    environment: ["PATH": "/usr/bin:/bin", "PROCESS_GROUP_TEST": harness.folder],
                    directory: nil,
                    log: STDERR_FILENO
                ).start()
                try await eventually("another process holds the lock") {
                    // What it gets is not released but dropped, which leaves the file.
                    try FileLock.attempt(lock) == nil
                }
                await #expect(throws: GroupError.self) { try await plugin.call(.watch(Specs.sized(1))) }
                #expect(kill(holder, SIGKILL) == 0)
                #expect(waitpid(holder, nil, 0) == holder)
                try await plugin.call(.watch(Specs.sized(1)))
                try await plugin.converged("cattle", count: 1)
            }
        }
    }

    /// What was told to end is finished by a plugin that starts, unless another one has the group.
    @Test func doomedOfAnotherPluginAreLeftToIt() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { first in
                try await first.call(.watch(Specs.sized(1)))
                let id = try #require(try await first.converged("cattle", count: 1).first?.id)
                let path = "\(harness.state)/instances/cattle/\(id).json"
                var record = try #require(File.read(path).flatMap { InstanceRecord($0) })
                record.isDoomed = true
                try File.replace(path, with: record.json.bytes)
                try await harness.withPlugin(Self.impatient) { _ in
                    try await eventually("it has looked") {
                        harness.log.count("left what was told to end to the plugin that has the group") == 1
                    }
                }
                #expect(try await first.converged("cattle", count: 1).map(\.id) == [id])
            }
        }
    }

    /// Nobody watches the group: its records stay until somebody does, also those of processes that have ended.
    @Test func recordsOfFreedGroupsStay() async throws {
        try await PluginHarness.with { harness in
            let folder = "\(harness.state)/instances/cattle"
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(2)))
                try await plugin.converged("cattle", count: 2)
                let victim = try #require(harness.leaders.min())
                try await plugin.call(.free(id: "cattle"))
                kill(victim, SIGKILL)
                try await eventually("it is collected") { ProcessTable.entry(victim) == nil }
            }
            try await harness.withPlugin { plugin in
                #expect(File.names(in: folder).count == 2)
                #expect(harness.leaders.count == 1)
                try await plugin.call(.watch(Specs.sized(0)))
                try await eventually("all have ended") { harness.processes.isEmpty }
                try await eventually("all records are gone") { File.names(in: folder).isEmpty }
            }
        }
    }
}

extension ProcessTable {
    /// True when the process has come so far as to ignore SIGTERM.
    static func ignoresTermination(_ pid: Int32) -> Bool {
        let status = String(decoding: File.read("/proc/\(pid)/status") ?? [], as: UTF8.self)
        let mask = status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }?.split(separator: "\t").last
        return mask.flatMap { UInt64($0, radix: 16) }.map { $0 & 1 << UInt64(SIGTERM - 1) != 0 } ?? false
    }
}
