/// An id, a tag, a name: text that names something. Two are the same when they have the same bytes in UTF-8, and they are in
/// the order of their bytes.
///
/// Swift's `String` compares by Unicode's canonical equivalence: `caf\u{E9}` and `cafe\u{301}` are one key of a dictionary. They are
/// two to SQLite, to JSON, to file systems and to every other InfraKit program. So nothing that a user, a file or another
/// program names is a `String`; what this program draws by itself, such as a request's hexadecimal digits, may be.
public struct Identifier: Sendable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public var isEmpty: Bool { text.isEmpty }
    public var utf8: String.UTF8View { text.utf8 }

    /// Strings of this platform are stored as UTF-8, so that no byte is copied, but for the fifteen of a small one.
    private func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        text.utf8.withContiguousStorageIfAvailable(body) ?? ContiguousArray(text.utf8).withUnsafeBufferPointer(body)
    }
}

extension Identifier: Hashable, Comparable {
    public static func == (one: Identifier, other: Identifier) -> Bool {
        one.utf8.count == other.utf8.count
            && one.withBytes { one in other.withBytes { other in one.elementsEqual(other) } }
    }

    public static func < (one: Identifier, other: Identifier) -> Bool {
        one.withBytes { one in other.withBytes { other in one.lexicographicallyPrecedes(other) } }
    }

    public func hash(into hasher: inout Hasher) {
        withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // Ends it, as no UTF-8 has this byte: ("a", "bc") is not ("ab", "c").
        hasher.combine(0xFF as UInt8)
    }
}

extension Identifier: CustomStringConvertible, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    public var description: String { text }
    public init(stringLiteral text: String) { self.text = text }
}

extension Sequence<Identifier> {
    /// For people.
    public func joined(separator: String) -> String { map(\.text).joined(separator: separator) }
}
