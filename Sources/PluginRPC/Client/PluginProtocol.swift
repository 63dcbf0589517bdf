/// How to talk to a plugin: `--plugin-protocol auto|stream|http`.
public enum PluginProtocol: String, Sendable, CaseIterable {
    /// Find out with calls that change nothing.
    case auto
    /// JSON objects on one connection, as the first generation does.
    case stream
    /// JSON-RPC 2.0 over HTTP/1.1, as all later ones do.
    case http
}
