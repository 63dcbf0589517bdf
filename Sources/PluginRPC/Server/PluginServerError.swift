/// Why a ``PluginServer`` could not start.
public struct PluginServerError: Error, Hashable, Sendable {
    /// What kind of trouble. More cases may come: switch with a default.
    public enum Code: String, Sendable {
        /// Another process answers on the socket.
        case socketInUse
        /// The path is longer than the operating system can name a socket.
        case pathTooLong
        /// The path, or its directory, is something else than a socket or a directory.
        case wrongKind
        /// The operating system refused a step.
        case system
    }

    public let code: Code
    /// The socket that was asked for.
    public let path: String
    /// The operating system's error number, when there is one.
    public let errno: Int32?
    /// One sentence for a person; it names the socket.
    public let message: String

    public init(_ code: Code, path: String, errno: Int32? = nil, message: String) {
        self.code = code
        self.path = path
        self.errno = errno
        self.message = message
    }
}

extension PluginServerError: CustomStringConvertible {
    public var description: String { message }
}
