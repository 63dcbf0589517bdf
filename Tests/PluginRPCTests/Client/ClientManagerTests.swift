import GroupSPI
import NIOPosix
import PluginFakes
import PluginRPC
import Testing

@Suite("What the client asks a manager")
struct ClientManagerTests {
    private func withServer(manager: Bool, _ body: (String) async throws -> Void) async throws {
        try await withScratchDirectory { directory in
            let group = ScriptedGroup()
            let server = try await PluginServer.start(
                ServedPlugin(name: "group", group: group, manager: manager ? ScriptedManager(group: group) : nil),
                at: directory + "/group",
                group: MultiThreadedEventLoopGroup.singleton,
                logger: .silent
            )
            do {
                try await body(directory + "/group")
            } catch {
                await server.stop(grace: .zero)
                throw error
            }
            await server.stop(grace: .zero)
        }
    }

    @Test("is answered in every dialect", arguments: PluginProtocol.allCases)
    func everyDialect(plugin: PluginProtocol) async throws {
        try await withServer(manager: true) { path in
            let client = PluginClient.of(.socket(path: path), plugin)
            #expect(try await client.lookForRequests(within: .seconds(120)))
            let status = try await client.managerStatus(within: .seconds(120))
            #expect(JSONView(status).member("role")?.string == "leader")
            #expect(await client.findLoop(through: ["other", "self"], within: .seconds(120)) == true)
            #expect(await client.findLoop(through: ["other"], within: .seconds(120)) == false)
            await client.shutdown()
        }
    }

    @Test("is refused by a bare plugin", arguments: PluginProtocol.allCases)
    func barePlugin(plugin: PluginProtocol) async throws {
        try await withServer(manager: false) { path in
            let client = PluginClient.of(.socket(path: path), plugin)
            let error = await #expect(throws: GroupError.self) {
                try await client.lookForRequests(within: .seconds(120))
            }
            #expect(await client.findLoop(through: ["other"], within: .seconds(120)) == false)
            #expect(error?.message.contains("Manager.LookForRequests") == true, "\(String(describing: error))")
            await client.shutdown()
        }
    }
}
