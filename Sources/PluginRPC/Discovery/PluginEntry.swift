public import GroupSPI

/// A plugin that the directory knows: a socket, or a file that says where the plugin listens.
public struct PluginEntry: Hashable, Sendable {
    /// The name that users give to `--name`.
    public let name: Identifier
    /// The socket's path, or the URL in the `.listen` file.
    public let listen: String
    public let endpoint: PluginEndpoint

    public init(name: Identifier, listen: String, endpoint: PluginEndpoint) {
        self.name = name
        self.listen = listen
        self.endpoint = endpoint
    }
}
