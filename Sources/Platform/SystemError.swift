internal import CLinux
import Glibc

/// A call of the operating system that failed, with what is needed to find out why.
public struct SystemError: Error, Hashable, Sendable {
    /// The function, as its manual page is called.
    public let function: String
    /// The file or program that it was called for.
    public let subject: String
    /// The `errno` value.
    public let code: Int32

    package init(_ function: String, _ subject: String, code: Int32 = errno) {
        self.function = function
        self.subject = subject
        self.code = code
    }
}

extension SystemError: CustomStringConvertible {
    /// One line for a person.
    public var description: String { "\(function) \(subject): \(reason)" }

    /// The system's words for the code.
    public var reason: String { String(cString: clinux_open_trouble(code)) }
}
