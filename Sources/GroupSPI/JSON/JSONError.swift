/// Why a text was refused as JSON, and where.
public struct JSONError: Error, Hashable, Sendable {
    /// What was wrong. More cases may come: switch with a default.
    public enum Code: Sendable {
        /// The text ends inside a value.
        case truncated
        /// A byte that the grammar does not allow at this place.
        case unexpectedByte
        /// A string holds bytes that are not UTF-8.
        case invalidUTF8
        /// More than ``JSONLimits/maximumBytes`` bytes.
        case tooLarge
        /// Deeper than ``JSONLimits/maximumDepth`` arrays and objects.
        case tooDeep
        /// A complete value, and then something else.
        case trailingData
    }

    public let code: Code
    /// Offset in bytes from the start of the text.
    public let offset: Int
    /// One sentence for a person.
    public let message: String

    public init(code: Code, offset: Int, message: String) {
        self.code = code
        self.offset = offset
        self.message = message
    }
}

extension JSONError: CustomStringConvertible {
    public var description: String { "invalid JSON at byte \(offset): \(message)" }
}
