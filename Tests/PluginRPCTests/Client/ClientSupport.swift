import GroupSPI
import Logging
import NIOPosix
import PluginFakes
import Testing

@testable import PluginRPC

/// Runs a test with a client of the plugin `group-stateless` in a directory of its own, and shuts the client down.
func withClient(
    name: Identifier = "group-stateless",
    _ plugin: PluginProtocol = .auto,
    limits: JSONLimits = .standard,
    _ body: (PluginClient, _ socket: String) async throws -> Void
) async throws {
    try await withScratchDirectory { directory in
        let plugins = PluginDirectory(path: directory)
        let client = PluginClient(
            name: name,
            endpoint: .named(name, plugins),
            protocol: plugin,
            limits: limits,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: .silent
        )
        do {
            try await body(client, plugins.socketPath(for: name))
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }
}

/// Runs a test with a fake and a client of it.
func withPlugin(
    _ apiVersion: FakeAPIVersion,
    _ plugin: PluginProtocol = .auto,
    limits: JSONLimits = .standard,
    script: FakeScript = .none,
    _ body: (PluginClient, FakePlugin) async throws -> Void
) async throws {
    try await withClient(plugin, limits: limits) { client, socket in
        let fake = try FakePlugin(apiVersion, at: socket, script: script)
        defer { fake.stop() }
        try await body(client, fake)
    }
}

/// The error that a call ends with.
func failure(
    _ client: PluginClient,
    _ request: GroupRequest,
    within timeout: Duration = .seconds(30),
    sourceLocation: SourceLocation = #_sourceLocation
) async throws -> GroupError {
    let error = await #expect(throws: GroupError.self, sourceLocation: sourceLocation) {
        try await client.call(request, within: timeout)
    }
    return try #require(error, sourceLocation: sourceLocation)
}

extension GroupSpec {
    static func text(_ id: Identifier, _ properties: String = #"{"Allocation":{"Size":5}}"#) -> GroupSpec {
        GroupSpec(id: id, properties: RawJSON(checked: Array(properties.utf8)))
    }
}

extension PluginClient {
    /// A call with more time than it needs.
    func reply(to request: GroupRequest, within timeout: Duration = .seconds(30)) async throws -> GroupReply {
        try await call(request, within: timeout)
    }
}

/// Expects a call to end with a reply.
func expect(
    _ client: PluginClient,
    _ request: GroupRequest,
    gives expected: GroupReply,
    within timeout: Duration = .seconds(30),
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let reply = try await client.call(request, within: timeout)
    #expect(reply == expected, sourceLocation: sourceLocation)
}

extension PluginClient {
    static func of(_ endpoint: PluginEndpoint, _ plugin: PluginProtocol) -> PluginClient {
        PluginClient(
            name: "group-stateless",
            endpoint: endpoint,
            protocol: plugin,
            limits: .standard,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: .silent
        )
    }
}

extension Logger {
    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}
