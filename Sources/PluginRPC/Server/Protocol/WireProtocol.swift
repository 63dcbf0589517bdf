/// How the messages of one connection are framed, and in which words errors come.
enum WireProtocol: Sendable {
    /// JSON-RPC 1.0: objects one after another, answers in any order (the first generation).
    case stream
    /// JSON-RPC 2.0 in the bodies of HTTP/1.1 requests (all later generations).
    case http
}
