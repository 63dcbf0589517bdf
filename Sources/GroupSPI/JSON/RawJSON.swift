/// The text of one JSON value, exactly as it was sent: key order, number spelling, escapes and white space inside.
///
/// A specification passes through a socket, a database and another socket without being decoded, because decoding
/// loses what users rely on: `1.0` becomes `1`, a 23-digit integer a float, the order of keys an accident.
public struct RawJSON: Hashable, Sendable {
    /// UTF-8, valid JSON, no white space around the value.
    public let bytes: [UInt8]

    /// Checks the text.
    ///
    /// - Throws: ``JSONError`` at the first byte that does not fit.
    public init(_ text: [UInt8], limits: JSONLimits = .standard) throws(JSONError) {
        self = try JSONView(text, limits: limits).raw
    }

    /// Checks the text.
    public init(_ text: String, limits: JSONLimits = .standard) throws(JSONError) {
        try self.init(Array(text.utf8), limits: limits)
    }

    /// Text that is known to be valid: a part of a checked text, or what ``JSON`` has rendered, or a stored specification.
    public init(checked bytes: [UInt8]) {
        self.bytes = bytes
    }

    public static let null = RawJSON(checked: Array("null".utf8))

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The same tokens laid out over lines, as Go's `json.Indent` lays them out. Numbers and strings keep their spelling.
    public func indented(by unit: String = "  ", prefix: String = "") -> String {
        var layout = JSONLayout(unit: Array(unit.utf8), prefix: Array(prefix.utf8))
        return String(decoding: layout.indent(bytes), as: UTF8.self)
    }
}

extension RawJSON: CustomStringConvertible {
    public var description: String { text }
}
