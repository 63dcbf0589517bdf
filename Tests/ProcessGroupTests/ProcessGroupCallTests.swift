import GroupSPI
import Testing

@testable import ProcessGroup

/// What the calls answer, in both generations' words, without regard to the processes.
struct ProcessGroupCallTests {
    @Test func everyCallKnowsWhatIsNotWatched() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let spec = try Specs.sized(1, id: "x")
                let calls: [GroupRequest] = [
                    .update(spec), .describeUpdate(spec), .stopUpdate(id: "x"), .unwatch(id: "x"), .free(id: "x"),
                    .describe(id: "x"), .destroy(id: "x"), .size(id: "x"), .setSize(id: "x", 1),
                    .destroyInstances(id: "x", []),
                ]
                // Both when it was never heard of, and when it was freed.
                for _ in 0..<2 {
                    for call in calls {
                        await #expect(throws: GroupError.notWatched("x"), "\(call.method)") {
                            try await plugin.call(call)
                        }
                    }
                    try await plugin.call(.watch(Specs.sized(0, id: "x")))
                    try await plugin.call(.free(id: "x"))
                }
                #expect(try await plugin.call(.inspect) == .groups([]))
            }
        }
    }

    @Test func badSpecsAreRefusedBeforeAnythingChanges() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let good = try Specs.sized(1)
                try await plugin.call(.watch(good))
                let before = try await plugin.converged("cattle", count: 1)
                let bad = [
                    GroupSpec(id: "cattle", properties: .null),
                    GroupSpec(id: "", properties: good.properties),
                    try Specs.sized(1, command: #"["no-such-program-here"]"#),
                    try Specs.sized(-1),
                    try Specs.sized(1, more: #", "Directory": "/no/such""#),
                ]
                for spec in bad {
                    for call in [GroupRequest.update(spec), .describeUpdate(spec), .commit(spec, pretend: false)] {
                        let error = await #expect(throws: GroupError.self) { try await plugin.call(call) }
                        #expect(error?.code == .rejected)
                        #expect(error?.saysNotWatched == false)
                    }
                    let other = GroupSpec(id: spec.id.isEmpty ? "" : "other", properties: spec.properties)
                    await #expect(throws: GroupError.self) { try await plugin.call(.watch(other)) }
                }
                #expect(try await plugin.call(.inspect) == .groups([good]))
                #expect(try await plugin.converged("cattle", count: 1) == before)
            }
        }
    }

    @Test func watchedTwiceIsAnError() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(0)))
                await #expect(throws: GroupError.alreadyWatched("cattle")) {
                    try await plugin.call(.watch(Specs.sized(0)))
                }
            }
        }
    }

    @Test func inspectIsSortedAndKeepsEveryByte() async throws {
        let odd = "{ \"Z\":1.0, \"n\": 12345678901234567890123, \"Allocation\":{\"Size\":0},"
        let text = odd + "\n\t\"Instance\":{\"Properties\":{\"Command\":\"\\u0074rue\"}} }"
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let specs = try ["b", "a", "C", "ä"].map { GroupSpec(id: $0, properties: try RawJSON(text)) }
                for spec in specs { try await plugin.call(.commit(spec, pretend: false)) }
                #expect(try await plugin.call(.inspect) == .groups(specs.sorted { $0.id < $1.id }))
            }
        }
    }

    @Test func words() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let first = try Specs.sized(2)
                let second = try Specs.sized(3, more: Specs.version(2))
                #expect(try await plugin.call(.commit(first, pretend: true)) == .details("Managing 2 instances"))
                #expect(try await plugin.call(.inspect) == .groups([]))
                #expect(harness.processes.isEmpty)
                #expect(try await plugin.call(.commit(first, pretend: false)) == .details("Managing 2 instances"))
                try await plugin.converged("cattle", count: 2)
                #expect(try await plugin.call(.commit(first, pretend: false)) == .details("Noop"))
                #expect(try await plugin.call(.describeUpdate(first)) == .plan("Noop"))
                #expect(
                    try await plugin.call(.describeUpdate(second))
                        == .plan(
                            "Performs a rolling update on 2 instances, "
                                + "then adds 1 instances to increase the group size to 3"
                        )
                )
                let details = GroupReply.details(
                    "Performing a rolling update on 2 instances, "
                        + "then adding 1 instances to increase the group size to 3"
                )
                #expect(try await plugin.call(.commit(second, pretend: true)) == details)
                #expect(try await plugin.call(.inspect) == .groups([first]))
                #expect(try await plugin.call(.commit(second, pretend: false)) == details)
                #expect(try await plugin.call(.inspect) == .groups([second]))
                try await plugin.converged("cattle", count: 3)
                #expect(try await plugin.call(.describeUpdate(second)) == .plan("Noop"))
            }
        }
    }

    @Test func noopUpdateKeepsTheNewSpelling() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(1)))
                let before = try await plugin.converged("cattle", count: 1)
                let respelled = try Specs.sized(1, more: #", "Comment": "the same""#)
                #expect(try await plugin.call(.update(respelled)) == .ok)
                #expect(try await plugin.call(.inspect) == .groups([respelled]))
                #expect(try await plugin.converged("cattle", count: 1) == before)
            }
        }
    }

    /// Of several members of one name the last counts, when a spec is read as when its size is changed.
    @Test func setSizeChangesTheSizeThatCounts() async throws {
        let text = #"{"Allocation":{"Size":9},"Size":7,"allocation":{"Size":8, "sIZE" : 1  },"#
        let rest = #""Instance":{"Properties":{"Command":["sleep","60"]}}}"#
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(GroupSpec(id: "cattle", properties: RawJSON(text + rest))))
                #expect(try await plugin.call(.size(id: "cattle")) == .size(1))
                try await plugin.call(.setSize(id: "cattle", 2))
                let resized = try RawJSON(text.replacing(": 1  ", with: ": 2  ") + rest)
                #expect(try await plugin.call(.inspect) == .groups([GroupSpec(id: "cattle", properties: resized)]))
                try await plugin.converged("cattle", count: 2)
            }
        }
    }

    @Test(arguments: [-1, 1001, Int.max])
    func setSizeRefuses(size: Int) async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                let spec = try Specs.sized(0)
                try await plugin.call(.watch(spec))
                let error = await #expect(throws: GroupError.self) {
                    try await plugin.call(.setSize(id: "cattle", size))
                }
                #expect(error?.message.contains("\(size)") == true)
                #expect(try await plugin.call(.inspect) == .groups([spec]))
            }
        }
    }

    @Test func setSizeRefusesGroupsOfLogicalIDs() async throws {
        try await PluginHarness.with { harness in
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.named(["a"])))
                let error = await #expect(throws: GroupError.self) { try await plugin.call(.setSize(id: "pets", 2)) }
                #expect(error?.code == .rejected)
                #expect(error?.message.contains("sized by its LogicalIDs") == true)
                #expect(try await plugin.call(.size(id: "pets")) == .size(1))
            }
        }
    }

    @Test func stoppedPluginRefusesChanges() async throws {
        try await PluginHarness.with { harness in
            var kept: ProcessGroupPlugin?
            try await harness.withPlugin { plugin in
                try await plugin.call(.watch(Specs.sized(1)))
                kept = plugin
            }
            let plugin = try #require(kept)
            for id: Identifier in ["cattle", "other"] {
                let error = await #expect(throws: GroupError.self) {
                    try await plugin.call(.commit(Specs.sized(2, id: id), pretend: false))
                }
                #expect(error?.code == .unreachable)
            }
            // "Not watched" would be taken for the truth about a group that is only no longer looked after.
            let error = await #expect(throws: GroupError.self) { try await plugin.describe("cattle") }
            #expect(error?.code == .unreachable)
        }
    }
}
