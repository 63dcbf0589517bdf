public import GroupSPI
public import Logging
internal import NIOPosix

extension PluginClient {
    /// A client as a command-line program wants it: the usual limits, the process's own event loops.
    public convenience init(
        name: Identifier,
        endpoint: PluginEndpoint,
        protocol: PluginProtocol = .auto,
        login: Identifier? = nil,
        logger: Logger
    ) {
        self.init(
            name: name,
            endpoint: endpoint,
            protocol: `protocol`,
            limits: .reply,
            login: login,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
    }
}
