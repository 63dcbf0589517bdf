/// Why a text is no document that this program reads.
public struct DocumentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1; nil where no line is to blame.
    public let line: Int?
    /// What was wrong, and what to write instead.
    public let message: String

    public init(line: Int? = nil, _ message: String) {
        self.line = line
        self.message = message
    }

    public var description: String { line.map { "line \($0): \(message)" } ?? message }
}
