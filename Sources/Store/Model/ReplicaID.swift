public import GroupSPI

/// A replica's name in lease, history and errors.
///
/// Never empty: the lease of a replica without a name would look like one that nobody holds. What people read in a line fits into one.
public struct ReplicaID: Hashable, Sendable {
    /// The longest, in bytes.
    public static let longest = 255

    public let name: Identifier

    /// - Returns: nil for a text that is empty or too long, begins or ends with a blank, or has control characters.
    public init?(_ name: Identifier) {
        let text = name.text
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last,
            text.utf8.count <= Self.longest, !first.properties.isWhitespace, !last.properties.isWhitespace,
            text.unicodeScalars.allSatisfy({ Self.isPrinted($0) })
        else { return nil }
        self.name = name
    }

    private static func isPrinted(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate: false
        default: true
        }
    }
}

extension ReplicaID: CustomStringConvertible {
    public var description: String { name.text }
}
