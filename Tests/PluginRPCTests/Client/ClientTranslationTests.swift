import GroupSPI
import PluginFakes
import Testing

@testable import PluginRPC

@Suite("The client translates between the generations")
struct ClientTranslationTests {
    static let watching = FakeAPIVersion.all.filter(\.watches)
    static let committing = FakeAPIVersion.all.filter { !$0.watches }

    @Test("watch, update and unwatch on a plugin that commits", arguments: committing)
    func watchOverCommit(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            let (small, large) = (GroupSpec.text("cattle"), GroupSpec.text("cattle", #"{"Allocation":{"Size":9}}"#))
            let early = try await failure(client, .update(small))
            #expect(early == .notWatched("cattle"))
            #expect(fake.groups.isEmpty)

            try await expect(client, .watch(small), gives: .ok)
            #expect(fake.groups == [small])
            let again = try await failure(client, .watch(large))
            #expect(again == .alreadyWatched("cattle"))
            #expect(fake.groups == [small])

            try await expect(client, .describeUpdate(large), gives: .plan("Managing it"))
            #expect(fake.groups == [small])
            try await expect(client, .update(large), gives: .ok)
            #expect(fake.groups == [large])

            let stop = try await failure(client, .stopUpdate(id: "cattle"))
            #expect(stop.code == .unsupported)
            #expect(stop.message.contains("the update of group 'cattle' cannot be stopped"))

            try await expect(client, .unwatch(id: "cattle"), gives: .ok)
            #expect(fake.groups.isEmpty)
            let gone = try await failure(client, .unwatch(id: "cattle"))
            #expect(gone.saysNotWatched)
        }
    }

    @Test("commit and free on a plugin that watches", arguments: watching)
    func commitOverWatch(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            let (small, large) = (GroupSpec.text("cattle"), GroupSpec.text("cattle", #"{"Allocation":{"Size":9}}"#))
            let words = "Would watch cattle, if the plugin accepts it: a plugin of this version cannot tell in advance"
            try await expect(client, .commit(small, pretend: true), gives: .details(words))
            #expect(fake.groups.isEmpty)
            try await expect(client, .commit(small, pretend: false), gives: .details("Watching cattle"))
            #expect(fake.groups == [small])
            try await expect(client, .commit(large, pretend: true), gives: .details("Noop"))
            #expect(fake.groups == [small])
            try await expect(client, .commit(large, pretend: false), gives: .details("Updated cattle"))
            #expect(fake.groups == [large])
            try await expect(client, .free(id: "cattle"), gives: .ok)
            #expect(fake.groups.isEmpty)
        }
    }

    /// A plugin of 2016 goes on with an update after UnwatchGroup: what frees a group stops that first. The answers are as
    /// recorded.
    @Test(
        "an update is stopped before its group is freed",
        arguments: [
            FakeAnswer.result(#"{"OK":true}"#), .error("Group 'cattle' is not being updated"),
            .error("Group 'cattle' is not being watched"),
        ]
    )
    func freeInMidUpdate(stopped: FakeAnswer) async throws {
        for apiVersion in Self.watching {
            try await withPlugin(apiVersion, script: .on("Group.StopUpdate", stopped)) { client, fake in
                fake.seed([.text("cattle")])
                try await expect(client, .free(id: "cattle"), gives: .ok)
                // A connection that was lost is made anew, and the plugin asked again what it knows.
                #expect(fake.methods.count { $0 == "StopUpdate" } == 1 && fake.methods.last == "UnwatchGroup")
                #expect(fake.groups.isEmpty)
            }
        }
        for apiVersion in Self.committing {
            try await withPlugin(apiVersion) { client, fake in
                fake.seed([.text("cattle")])
                try await expect(client, .free(id: "cattle"), gives: .ok)
                #expect(!fake.methods.contains("StopUpdate"))
            }
        }
    }

    /// It may be at work at that very update, and answer nothing else meanwhile.
    @Test(
        "and freed whatever becomes of that",
        arguments: [FakeAnswer.silence, .hangUp, .raw("no JSON")]
    )
    func freeWhenStopUpdateDoesNotAnswer(_ answer: FakeAnswer) async throws {
        for apiVersion in Self.watching {
            try await withPlugin(apiVersion, script: .on("Group.StopUpdate", answer)) { client, fake in
                fake.seed([.text("cattle")])
                // What hangs costs a third of this, and nothing else takes as long, on whatever machine.
                let reply = try await client.call(.free(id: "cattle"), within: .seconds(30))
                #expect(reply == .ok)
                // A connection that was lost is made anew, and the plugin asked again what it knows.
                #expect(fake.methods.count { $0 == "StopUpdate" } == 1 && fake.methods.last == "UnwatchGroup")
                #expect(fake.groups.isEmpty)
            }
        }
    }

    @Test("and asks for a missing method once per connection")
    func remembersMissingMethods() async throws {
        try await withPlugin(.v05) { client, fake in
            for _ in 0..<3 { _ = try await failure(client, .update(.text("cattle"))) }
            #expect(fake.methods.filter { $0 == "UpdateGroup" }.count == 1)
            #expect(fake.methods.filter { $0 == "InspectGroups" }.count == 3)
        }
    }

    @Test("nothing, when the plugin has the method", arguments: FakeAPIVersion.all)
    func native(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            let spec = GroupSpec.text("cattle")
            if apiVersion.watches {
                try await expect(client, .watch(spec), gives: .ok)
                try await expect(client, .update(spec), gives: .ok)
                try await expect(client, .describeUpdate(spec), gives: .plan("Noop"))
                try await expect(client, .stopUpdate(id: "cattle"), gives: .ok)
                try await expect(client, .unwatch(id: "cattle"), gives: .ok)
            } else {
                try await expect(client, .commit(spec, pretend: false), gives: .details("Managing 5 instances"))
                try await expect(client, .commit(spec, pretend: true), gives: .details("Managing it"))
                try await expect(client, .free(id: "cattle"), gives: .ok)
            }
            fake.seed([spec])
            try await expect(client, .inspect, gives: .groups([spec]))
            try await expect(client, .destroy(id: "cattle"), gives: .ok)
            #expect(
                !fake.methods.dropFirst(apiVersion.wireProtocol == .stream ? 1 : 0).contains { name in
                    !apiVersion.methods.contains("Group." + name)
                }
            )
        }
    }

    @Test("descriptions, with and without Converged", arguments: FakeAPIVersion.released)
    func describe(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            fake.seed([.text("cattle")])
            guard
                case .description(let description) = try await client.call(
                    .describe(id: "cattle"),
                    within: .seconds(30)
                )
            else { return #expect(Bool(false), "no description") }
            #expect(description.isConverged == (apiVersion.saysConverged ? true : nil))
            #expect(description.decodedInstances.map(\.id) == ["instance-1", "instance-2"])
            #expect(description.decodedInstances.map(\.logicalID) == [nil, "10.0.0.2"])
        }
    }

    @Test("the size", arguments: FakeAPIVersion.all)
    func size(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            let properties = #"{"x":1.0, "allocation" : { "Note":"Size", "size" : 5 }, "Allocation2":{"Size":5}}"#
            fake.seed([.text("pigs"), .text("cattle", properties)])
            let isNative = apiVersion.methods.contains("Group.Size")
            try await expect(client, .size(id: "cattle"), gives: .size(isNative ? 7 : 2))
            try await expect(client, .setSize(id: "cattle", 12), gives: .ok)
            let resized = properties.replacing(#""size" : 5"#, with: #""size" : 12"#)
            #expect(fake.groups == [.text("pigs"), isNative ? .text("cattle", properties) : .text("cattle", resized)])
            let unknown = try await failure(client, .setSize(id: "hens", 1))
            #expect(unknown == .notWatched("hens"))
            let outcome = await Result.of {
                try await client.call(.destroyInstances(id: "cattle", ["i-1"]), within: .seconds(30))
            }
            if isNative {
                #expect(try outcome.get() == .ok)
                #expect(
                    fake.requests.last?.params.text == #"{"Name":"group-stateless","ID":"cattle","Instances":["i-1"]}"#
                )
            } else {
                #expect(throws: GroupError.self) { try outcome.get() }
                #expect(outcome.failureCode == .unsupported)
            }
        }
    }

    @Test("no plan for a group that is not there", arguments: FakeAPIVersion.released)
    func planOfNothing(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            let error = try await failure(client, .describeUpdate(.text("cattle")))
            #expect(error == .notWatched("cattle"))
            fake.seed([.text("cattle")])
            guard case .plan = try await client.reply(to: .describeUpdate(.text("cattle"))) else {
                return #expect(Bool(false), "no plan")
            }
        }
    }

    @Test("no size where there is none to set")
    func noSize() async throws {
        try await withPlugin(.v01) { client, fake in
            fake.seed([.text("cattle", #"{"Allocation":{"LogicalIDs":["a"]}}"#)])
            let error = try await failure(client, .setSize(id: "cattle", 3))
            #expect(error.code == .badRequest)
            #expect(!fake.methods.contains("CommitGroup"))
        }
    }

    @Test("no plugin that is no group plugin")
    func otherPlugin() async throws {
        let words = #"rpc: can't find service "Group.CommitGroup""#
        try await withPlugin(.head, script: .on("Group.CommitGroup", .error(words))) { client, fake in
            let error = try await failure(client, .commit(.text("cattle"), pretend: false))
            #expect(error == GroupError(.rejected, words))
            #expect(fake.methods == ["CommitGroup"])
        }
        let method = #"rpc: can't find method "Group.InspectGroups""#
        try await withPlugin(.head, script: .on("Group.InspectGroups", .error(method))) { client, fake in
            for _ in 0..<2 {
                let error = try await failure(client, .inspect)
                #expect(error.code == .unsupported)
            }
            #expect(fake.methods == ["InspectGroups", "InspectGroups"])
        }
    }
}

extension Result where Failure == any Error {
    static func of(_ body: () async throws -> Success) async -> Result {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    var failureCode: GroupError.Code? {
        if case .failure(let error as GroupError) = self { error.code } else { nil }
    }
}
