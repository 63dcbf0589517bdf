internal import GroupSPI
public import Logging
internal import NIOPosix

extension PluginClient {
    /// A client as a command-line program wants it: any dialect, the usual limits, the process's own event loops.
    public convenience init(name: String, endpoint: PluginEndpoint, logger: Logger) {
        self.init(
            name: name,
            endpoint: endpoint,
            protocol: .auto,
            limits: .standard,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
    }
}
