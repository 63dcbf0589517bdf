/// Why the plugin directory could not be listed.
public struct PluginDirectoryError: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: String
    /// The system's error number.
    public let errno: Int32
    /// One sentence for a person.
    public let description: String

    init(path: String, errno: Int32) {
        self.path = path
        self.errno = errno
        self.description = "cannot list the plugin directory \(path): \(SystemError.text(errno))"
    }
}
