internal import GroupSPI
internal import Logging
internal import NIOPosix
internal import PluginRPC
internal import Synchronization

/// A group plugin for which nothing is set up before it is called, not even threads.
final class LatePlugin: GroupPlugin {
    private let make: @Sendable () -> PluginClient
    private let client = Mutex<PluginClient?>(nil)

    init(name: Identifier, in plugins: PluginDirectory, plugin: PluginProtocol, logger: Logger) {
        make = {
            PluginClient(
                name: name,
                endpoint: .named(name, plugins),
                protocol: plugin,
                limits: .reply,
                group: MultiThreadedEventLoopGroup.singleton,
                logger: logger
            )
        }
    }

    func call(_ request: GroupRequest, within timeout: Duration) async throws(GroupError) -> GroupReply {
        let client = client.withLock { client in
            let known = client ?? make()
            client = known
            return known
        }
        return try await client.call(request, within: timeout)
    }

    /// Ends the calls in flight and closes the connections.
    func shutdown() async {
        await client.withLock { $0 }?.shutdown()
    }
}
