/// Text that is safe to show on a terminal.
///
/// What people and plugins have written (ids, messages, tags, a plugin's errors) may hold what a terminal obeys rather than
/// shows: an escape sequence, a line feed that forges a row, a mark that turns the direction of writing around. In an
/// interpolation all of that comes out as an escape; only the program's own words are taken as they stand:
///
///     let text: TerminalText = "removed tag \(name)\n"
///
/// A `String` is not one by itself, so that nothing reaches a terminal unescaped without saying so.
public struct TerminalText: Hashable, Sendable {
    public private(set) var text: String

    /// - Parameter text: shown as it is: JSON that has to stay exact, or what has been made safe already.
    public init(exact text: String) {
        self.text = text
    }

    /// - Parameter paragraph: text of several lines, which keeps its line feeds.
    public init(paragraph: String) {
        text = paragraph.split(separator: "\n", omittingEmptySubsequences: false).map { Self.escaped(String($0)) }
            .joined(separator: "\n")
    }

    public static func + (left: TerminalText, right: TerminalText) -> TerminalText {
        TerminalText(exact: left.text + right.text)
    }

    public static func += (left: inout TerminalText, right: TerminalText) { left.text += right.text }
}

extension TerminalText: ExpressibleByStringInterpolation {
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        public init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) { text += literal }

        public mutating func appendInterpolation(_ value: TerminalText) { text += value.text }

        public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            text += TerminalText.escaped(value.description)
        }
    }

    public init(stringLiteral value: String) {
        text = value
    }

    public init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
    }
}

extension Sequence<TerminalText> {
    public func joined() -> TerminalText { reduce(into: "") { $0 += $1 } }
}

// MARK: - Escapes

extension TerminalText {
    /// Every scalar that a terminal obeys, or that hides or reorders what is beside it, as an escape of Go's `%q`: `\n`,
    /// `\x1b`, `\u009b`.
    public static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isObeyed) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            if isObeyed(scalar) { output += escape(scalar) } else { output.unicodeScalars.append(scalar) }
        }
        return output
    }

    /// C0, DEL and C1 are commands to a terminal; the others turn the direction of writing around, end a line or take no
    /// room. Joiners stay: scripts and emoji need them.
    public static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F: true
        case ..<0x61C: false
        case 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB,
            0xE0000...0xE007F:
            true
        default: false
        }
    }

    /// Of one scalar, whatever it is.
    public static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(scalar.value, radix: 16)
            let (letter, width) =
                switch scalar.value {
                case ..<0x80: ("x", 2)
                case ..<0x10000: ("u", 4)
                default: ("U", 8)
                }
            return "\\\(letter)" + String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
    }
}
