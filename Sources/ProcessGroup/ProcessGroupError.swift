public import Platform

/// Why the plugin could not be set up.
public struct ProcessGroupError: Error, Hashable, Sendable {
    /// What kind of trouble. More cases may come: switch with a default.
    public enum Code: String, Sendable {
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
        code = .stateDirectoryUnusable
        message = "the state directory \(stateDirectory) cannot be used: \(cause)"
    }
}

extension ProcessGroupError: CustomStringConvertible {
    public var description: String { message }
}
