import Glibc
import GroupSPI
import Platform
import Testing

@testable import ProcessGroup

/// Processes outlive the supervision, and are found again.
struct ProcessGroupAdoptionTests {
    @Test(arguments: [GroupRequest.free(id: "cattle"), .unwatch(id: "cattle")])
    func freedProcessesRunOnAndAreAdopted(free: GroupRequest) async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(3)))
                let before = try await plugin.converged("cattle", count: 3)
                let leaders = harness.leaders
                try await plugin.call(free)
                #expect(try await plugin.call(.inspect) == .groups([]))
                // One dies unattended: it is collected and not replaced, until the group is watched again.
                let victim = try #require(leaders.min())
                kill(victim, SIGKILL)
                try await eventually("it is collected") { ProcessTable.entry(victim) == nil }
                #expect(harness.leaders == leaders.subtracting([victim]))
                try await plugin.call(.watch(Specs.sized(3)))
                let after = try await plugin.converged("cattle", count: 3)
                #expect(harness.leaders.isSuperset(of: leaders.subtracting([victim])))
                #expect(Set(before.map(\.id)).intersection(after.map(\.id)).count == 2)
            }
        }
    }

    @Test func restartedPluginAdopts() async throws {
        try await PluginHarness.with { harness in
            var before: [InstanceDescription] = []
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.named(["a", "b"])))
                before = try await plugin.converged("pets", count: 2)
            }
            let leaders = harness.leaders
            #expect(leaders.count == 2)
            try await harness.withPlugin { plugin in
                // The processes run, and it watches nothing.
                #expect(try await plugin.call(.inspect) == .groups([]))
                await #expect(throws: GroupError.notWatched("pets")) { try await plugin.describe("pets") }
                try await plugin.call(.commit(Specs.named(["a", "b"]), pretend: false))
                #expect(try await plugin.converged("pets", count: 2) == before)
                #expect(harness.leaders == leaders)
                // Adopted ones are supervised like any other.
                kill(try #require(leaders.min()), SIGKILL)
                try await eventually("it is replaced") {
                    harness.leaders.count == 2 && harness.leaders != leaders
                }
                try await plugin.call(.destroy(id: "pets"))
                try await eventually("all have ended") { harness.processes.isEmpty }
            }
        }
    }

    @Test func adoptedProcessesOfAnotherVersionAreRolled() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(2)))
                try await plugin.converged("cattle", count: 2)
            }
            let new = try Specs.sized(2, more: Specs.version(2))
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(new))
                let expected = try ProcessGroupSpec(new).configSHA
                try await eventually("all are of the new version") {
                    let instances = try await plugin.instances("cattle")
                    return instances.count == 2 && instances.allSatisfy { $0.tags["infrakit.config_sha"] == expected }
                }
            }
        }
    }

    /// The number in a record may have gone to somebody else since.
    @Test(arguments: ["start time", "boot", "garbage"])
    func reusedNumberIsNotAdopted(forged: String) async throws {
        try await PluginHarness.with { harness in
            let stranger = try ProcessSpawner(
                program: "/bin/sleep",
                arguments: ["sleep", "60"],
                environment: ["PROCESS_GROUP_TEST": harness.folder],
                directory: nil,
                log: STDERR_FILENO
            ).start()
            let identity = try #require(ProcessTable.identity(stranger))
            var record = InstanceRecord(
                id: "instance-7",
                group: "cattle",
                logicalID: nil,
                configSHA: try ProcessGroupSpec(Specs.sized(1)).configSHA
            )
            record.isDoomed = true
            record.process = ProcessInstance(
                pid: stranger,
                startTime: forged == "start time" ? identity.startTime - 1 : identity.startTime,
                bootID: forged == "boot" ? "another" : identity.bootID
            )
            try File.makeDirectory("\(harness.state)/instances/cattle")
            let bytes = forged == "garbage" ? record.json.bytes.dropLast(3) : record.json.bytes[...]
            try File.replace("\(harness.state)/instances/cattle/instance-7.json", with: Array(bytes))

            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(1)))
                let instances = try await plugin.converged("cattle", count: 1)
                #expect(instances.first?.id != "instance-7")
                try await plugin.call(.destroy(id: "cattle"))
                try await eventually("its own process has ended") { harness.leaders == [stranger] }
            }
            #expect(ProcessTable.isAlive(identity))
        }
    }

    /// The plugin ended between the start of a process and the note of its number.
    @Test func processWithoutANotedNumberIsFound() async throws {
        try await PluginHarness.with { harness in
            var id: Identifier = ""
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(1)))
                id = try #require(try await plugin.converged("cattle", count: 1).first?.id)
            }
            let leaders = harness.leaders
            let path = "\(harness.state)/instances/cattle/\(id).json"
            var record = try #require(File.read(path).flatMap { InstanceRecord($0) })
            record.process = nil
            try File.replace(path, with: record.json.bytes)
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(1)))
                #expect(try await plugin.converged("cattle", count: 1).map(\.id) == [id])
                #expect(harness.leaders == leaders)
            }
        }
    }

    /// A destroy that was answered is carried through, also when the plugin ends in the middle of it.
    @Test func destroyIsFinishedByTheNextPlugin() async throws {
        try await PluginHarness.with { harness in
            var id: Identifier = ""
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(1)))
                id = try #require(try await plugin.converged("cattle", count: 1).first?.id)
            }
            let path = "\(harness.state)/instances/cattle/\(id).json"
            var record = try #require(File.read(path).flatMap { InstanceRecord($0) })
            record.isDoomed = true
            try File.replace(path, with: record.json.bytes)
            try await harness.withPlugin { _ in
                try await eventually("it has ended, though nobody watches its group") { harness.processes.isEmpty }
                try await eventually("it is forgotten") { File.read(path) == nil }
            }
        }
    }

    @Test func stoppingPluginFinishesWhatItDestroys() async throws {
        var options = ProcessGroupOptions.quick
        options.stopGrace = .milliseconds(200)
        try await PluginHarness.with { harness in
            try await harness.withPlugin(options) { plugin in
                let stubborn = #"["/bin/sh", "-c", "trap '' TERM; sleep 60 & wait; wait"]"#
                try await plugin.call(.watch(Specs.sized(1, id: "stubborn", command: stubborn)))
                try await plugin.call(.watch(Specs.sized(1)))
                try await plugin.converged("cattle", count: 1)
                try await eventually("all have started") { harness.processes.count == 3 }
                try await plugin.call(.destroy(id: "stubborn"))
            }
            #expect(harness.processes.count == 1)
        }
    }

    @Test func groupsWithOddNamesKeepTheirFilesApart() async throws {
        try await PluginHarness.with { harness in
            let names: [Identifier] = ["../up", "a/b", "a%2Fb", ".", "é\"\n", "caf\u{E9}", "cafe\u{301}"]
            try await harness.withPlugin { plugin in
                for name in names { try await plugin.call(.watch(Specs.sized(1, id: name))) }
                for name in names { try await plugin.converged(name, count: 1) }
            }
            #expect(File.names(in: "\(harness.state)/logs").count == names.count)
            #expect(File.names(in: harness.folder) == ["state"])
            try await harness.withPlugin { plugin in
                for name in names { try await plugin.call(.watch(Specs.sized(1, id: name))) }
                for name in names { try await plugin.converged(name, count: 1) }
                #expect(harness.leaders.count == names.count)
            }
        }
    }
}
