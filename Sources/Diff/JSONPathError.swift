/// Why a text was refused as a path, and where.
public struct JSONPathError: Error, Hashable, Sendable {
    /// Offset in bytes from the start of the text.
    public let offset: Int
    /// One sentence for a person.
    public let message: String
}

extension JSONPathError: CustomStringConvertible {
    public var description: String { "invalid path at byte \(offset): \(message)" }
}
