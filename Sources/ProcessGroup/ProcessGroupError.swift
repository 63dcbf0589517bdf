import Glibc

/// Why the plugin could not be set up.
public struct ProcessGroupError: Error, Hashable, Sendable {
    /// What kind of trouble. More cases may come: switch with a default.
    public enum Code: String, Sendable {
        /// Another plugin uses the state directory.
        case stateDirectoryInUse
        /// The state directory cannot be made or written.
        case stateDirectoryUnusable
    }

    public let code: Code
    /// One sentence for a person.
    public let message: String
    /// The call that failed.
    public let cause: SystemError

    init(stateDirectory: String, _ cause: SystemError) {
        self.cause = cause
        if cause.function == "flock" && cause.code == EWOULDBLOCK {
            code = .stateDirectoryInUse
            message = "another process plugin uses the state directory \(stateDirectory); give this one another"
        } else {
            code = .stateDirectoryUnusable
            message = "the state directory \(stateDirectory) cannot be used: \(cause)"
        }
    }
}

extension ProcessGroupError: CustomStringConvertible {
    public var description: String { message }
}
