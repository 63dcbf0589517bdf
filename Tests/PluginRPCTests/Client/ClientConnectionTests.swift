import Foundation
import GroupSPI
import PluginFakes
import Testing

@testable import PluginRPC

@Suite("The client's connections")
struct ClientConnectionTests {
    static let dialects: [FakeAPIVersion] = [.seed, .v05]

    @Test("carry many calls at once, answered in any order", arguments: dialects)
    func outOfOrder(apiVersion: FakeAPIVersion) async throws {
        // Every answer names the group that was asked about, and all are held until all questions are there.
        let script = FakeScript { request in
            guard request.method == "Group.DescribeGroup", let id = request.groupID else { return nil }
            return .hold(#"{"Description":{"Instances":[{"ID":"\#(id)"}]}}"#)
        }
        try await withPlugin(apiVersion, script: script) { client, fake in
            try await withThrowingTaskGroup(of: (String, GroupReply).self) { group in
                for number in 0..<100 {
                    group.addTask {
                        ("g\(number)", try await client.call(.describe(id: "g\(number)"), within: .seconds(60)))
                    }
                }
                #expect(
                    await comesTrue { fake.heldReplies == 100 },
                    "\(fake.heldReplies) of \(fake.acceptedConnections)"
                )
                fake.releaseHeld()
                while let (id, reply) = try await group.next() {
                    let instances = RawJSON(checked: Array(#"[{"ID":"\#(id)"}]"#.utf8))
                    #expect(reply == .description(GroupDescription(instances: instances, isConverged: nil)))
                }
            }
            if apiVersion.wireProtocol == .stream { #expect(fake.acceptedConnections == 2) }
        }
    }

    @Test("carry fast calls past a slow one", arguments: dialects)
    func slowCall(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", .hold(#"{"OK":true}"#))) { client, fake in
            async let slow = client.reply(to: .destroy(id: "cattle"))
            #expect(await comesTrue { fake.heldReplies == 1 })
            try await expect(client, .inspect, gives: .groups([]))
            fake.releaseHeld()
            #expect(try await slow == .ok)
        }
    }

    @Test("are made again when the plugin has restarted", arguments: FakeAPIVersion.released)
    func restart(apiVersion: FakeAPIVersion) async throws {
        try await withClient { client, socket in
            for round in 0..<20 {
                let fake = try FakePlugin(apiVersion, at: socket)
                try await expect(
                    client,
                    .commit(.text("g\(round)"), pretend: true),
                    gives: .details(
                        apiVersion.watches
                            ? "Would watch g\(round), if the plugin accepts it: a plugin of this version cannot tell in advance"
                            : "Managing it"
                    )
                )
                fake.stop()
            }
            let error = try await failure(client, .inspect)
            #expect(
                error == GroupError(.notRunning, "plugin 'group-stateless' is not running: no socket at \(socket)")
            )
            let fake = try FakePlugin(apiVersion, at: socket)
            defer { fake.stop() }
            try await expect(client, .inspect, gives: .groups([]))
        }
    }

    @Test("are made again when the plugin comes back as another generation")
    func changeOfGeneration() async throws {
        try await withClient { client, socket in
            for apiVersion in FakeAPIVersion.all + FakeAPIVersion.all.reversed() {
                let fake = try FakePlugin(apiVersion, at: socket)
                defer { fake.stop() }
                // The first call after the change is a write: it must not be sent in the old dialect.
                try await expect(client, .watch(.text("cattle")), gives: .ok)
                try await expect(client, .free(id: "cattle"), gives: .ok)
                #expect(fake.groups.isEmpty)
                #expect(await client.peer?.apiVersion == (apiVersion.watches ? .watch : .commit))
            }
        }
    }

    @Test("go to the new plugin although the old one still runs", arguments: dialects)
    func replacedWhileRunning(apiVersion: FakeAPIVersion) async throws {
        try await withClient { client, socket in
            let old = try FakePlugin(apiVersion, at: socket)
            try await expect(client, .inspect, gives: .groups([]))
            let new = try FakePlugin(apiVersion, at: socket)
            defer { new.stop() }
            new.seed([.text("cattle")])
            try await expect(client, .inspect, gives: .groups([.text("cattle")]))
            #expect(await comesTrue { old.openConnections == 0 })
            old.dropConnections()
        }
    }

    @Test("are made again when the plugin has dropped them", arguments: FakeAPIVersion.released)
    func dropped(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            for _ in 0..<20 {
                try await expect(client, .inspect, gives: .groups([]))
                fake.dropConnections()
            }
        }
    }

    @Test("leak no descriptors", arguments: dialects)
    func descriptors(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            for _ in 0..<300 {
                try await expect(client, .inspect, gives: .groups([]))
                fake.dropConnections()
                #expect(await comesTrue { fake.openConnections == 0 })
            }
            #expect(fake.acceptedConnections >= 300)
            let open = try Self.openDescriptors(to: fake.path)
            #expect(open <= 2)
        }
    }

    /// How many descriptors of this process are sockets of that path, at either end.
    static func openDescriptors(to path: String) throws -> Int {
        let lines = try String(contentsOfFile: "/proc/net/unix", encoding: .utf8).split(separator: "\n")
        let inodes = Set(
            lines.filter { $0.hasSuffix(" " + path) }.compactMap { $0.split(separator: " ").dropLast().last }
        )
        let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let targets = names.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        return targets.filter { target in inodes.contains { target == "socket:[\($0)]" } }.count
    }

    @Test("are closed by a shutdown, which ends the calls in flight", arguments: dialects)
    func shutdown(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", .silence)) { client, fake in
            async let pending = failure(client, .destroy(id: "cattle"))
            #expect(await comesTrue { fake.methods.contains("DestroyGroup") })
            await client.shutdown()
            let error = try await pending
            #expect(error.code == .unknownOutcome)
            #expect(await comesTrue { fake.openConnections == 0 })
            let later = try await failure(client, .inspect)
            #expect(later.code == .unreachable)
            #expect(later.message.contains("was shut down"))
        }
    }

    @Test("of a client that was dropped are closed", arguments: dialects)
    func deinitialized(apiVersion: FakeAPIVersion) async throws {
        try await withScratchDirectory { directory in
            let fake = try FakePlugin(apiVersion, at: directory + "/group")
            defer { fake.stop() }
            try await Self.useAndDrop(at: fake.path)
            #expect(await comesTrue { fake.openConnections == 0 })
        }
    }

    private static func useAndDrop(at path: String) async throws {
        let client = PluginClient(name: "group", endpoint: .socket(path: path), logger: .silent)
        try await expect(client, .inspect, gives: .groups([]))
    }
}
