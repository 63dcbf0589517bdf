/// One value inside a JSON text that has been checked: a window on the text, not a copy of it.
///
/// Members are found as Go's `encoding/json` finds them (the dialect of every InfraKit program): names are compared
/// without regard to case, and of several members of one name the last counts.
public struct JSONView: Sendable {
    /// What a value is.
    public enum Kind: String, Sendable {
        case object, array, string, number, bool, null
    }

    private let text: [UInt8]
    private let range: Range<Int>

    /// Checks a whole text.
    ///
    /// - Parameters:
    ///   - text: one JSON value, with or without white space around it.
    ///   - limits: how large and deep it may be.
    /// - Throws: ``JSONError`` at the first byte that does not fit.
    public init(_ text: [UInt8], limits: JSONLimits = .standard) throws(JSONError) {
        guard text.count <= limits.maximumBytes else {
            throw JSONError(
                code: .tooLarge,
                offset: limits.maximumBytes,
                message: "\(text.count) bytes; at most \(limits.maximumBytes) are accepted"
            )
        }
        var range = 0..<0
        try text.withUnsafeBufferPointer { (bytes) throws(JSONError) in
            var scanner = JSONScanner(bytes, maximumDepth: limits.maximumDepth)
            scanner.skipWhitespace()
            let start = scanner.index
            try scanner.skipValue()
            range = start..<scanner.index
            scanner.skipWhitespace()
            guard scanner.index == bytes.count else {
                throw JSONError(code: .trailingData, offset: scanner.index, message: "more text after the value")
            }
        }
        self.text = text
        self.range = range
    }

    private init(text: [UInt8], range: Range<Int>) {
        self.text = text
        self.range = range
    }

    /// A view of text that was checked when it became a ``RawJSON``.
    public init(_ raw: RawJSON) {
        self.text = raw.bytes
        self.range = 0..<raw.bytes.count
    }

    /// The value's own bytes, without white space around them.
    public var bytes: ArraySlice<UInt8> { text[range] }

    /// The value's own text, kept byte for byte.
    public var raw: RawJSON { RawJSON(checked: Array(text[range])) }

    public var kind: Kind {
        switch text[range.lowerBound] {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    public var isNull: Bool { kind == .null }

    /// The decoded string, or nil for any other kind. A lone surrogate becomes U+FFFD, as in Go.
    public var string: String? {
        guard kind == .string else { return nil }
        return Self.decode(text[(range.lowerBound + 1)..<(range.upperBound - 1)])
    }

    /// The decoded string as the name of something, or nil for any other kind.
    public var identifier: Identifier? { string.map { Identifier($0) } }

    /// The number as an integer, or nil for any other kind, a fraction, an exponent, or one that does not fit.
    public var int: Int? {
        guard kind == .number else { return nil }
        return Int(String(decoding: text[range], as: UTF8.self))
    }

    /// The number as an integer that all readers of JSON have exactly (RFC 8259, section 6: up to 2^53), so that a sum of
    /// a few of them is an `Int` as well; nil for any other.
    public var exactInt: Int? {
        guard let int, int.magnitude <= 1 << 53 else { return nil }
        return int
    }

    public var bool: Bool? {
        guard kind == .bool else { return nil }
        return text[range.lowerBound] == UInt8(ascii: "t")
    }

    /// The elements of an array; empty for any other kind.
    public var elements: [JSONView] {
        guard kind == .array else { return [] }
        var result: [JSONView] = []
        walk { scanner in
            result.append(Self.value(&scanner, text))
        }
        return result
    }

    /// The members of an object in their order, duplicates included; empty for any other kind.
    public var members: [(name: Identifier, value: JSONView)] {
        guard kind == .object else { return [] }
        var result: [(name: Identifier, value: JSONView)] = []
        walk { scanner in
            let name = Self.value(&scanner, text)
            scanner.skipWhitespace()
            scanner.step()
            result.append((name.identifier ?? "", Self.value(&scanner, text)))
        }
        return result
    }

    /// The member of that name, compared without regard to case; the last one when there are several.
    public func member(_ name: String) -> JSONView? {
        guard kind == .object else { return nil }
        var found: Range<Int>?
        walkMembers { bytes, key, value in
            if Self.isName(bytes, key, name) { found = value }
        }
        return found.map { JSONView(text: text, range: $0) }
    }

    /// Two members, each as ``member(_:)`` finds it, for one walk through the text.
    func members(_ first: String, _ second: String) -> (JSONView?, JSONView?) {
        guard kind == .object else { return (nil, nil) }
        var found: (Range<Int>?, Range<Int>?)
        walkMembers { bytes, key, value in
            if Self.isName(bytes, key, first) { found.0 = value }
            if Self.isName(bytes, key, second) { found.1 = value }
        }
        return (found.0.map { JSONView(text: text, range: $0) }, found.1.map { JSONView(text: text, range: $0) })
    }

    /// Compares a member's name, as it is written between its quotation marks, without decoding it unless it has to be.
    private static func isName(_ bytes: UnsafeBufferPointer<UInt8>, _ key: Range<Int>, _ name: String) -> Bool {
        // An escape only makes text longer.
        guard key.count >= name.utf8.count else { return false }
        if bytes[key].contains(where: { $0 == UInt8(ascii: "\\") || $0 >= 0x80 }) {
            return decode(ArraySlice(bytes[key])).unicodeScalars.lazy.map(fold)
                .elementsEqual(name.unicodeScalars.lazy.map(fold))
        }
        return key.count == name.utf8.count
            && zip(bytes[key], name.utf8).allSatisfy { lowercase($0) == lowercase($1) }
    }

    /// As Go's `encoding/json`: two letters beyond ASCII are one of ASCII's but for the case.
    private static func fold(_ scalar: UnicodeScalar) -> UnicodeScalar {
        switch scalar {
        case "\u{212A}": "k"
        case "\u{17F}": "s"
        default: scalar.isASCII ? UnicodeScalar(lowercase(UInt8(scalar.value))) : scalar
        }
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    // MARK: - Walking checked text

    /// Calls `body` at the start of every element or member. The text was checked, so no step can fail.
    private func walk(_ body: (inout TrustedScanner) -> Void) {
        text.withUnsafeBufferPointer { bytes in
            var scanner = TrustedScanner(bytes, from: range.lowerBound + 1)
            while true {
                scanner.skipWhitespace()
                guard scanner.index < range.upperBound - 1 else { return }
                if scanner.current == UInt8(ascii: ",") {
                    scanner.step()
                    scanner.skipWhitespace()
                }
                body(&scanner)
            }
        }
    }

    /// Calls `body` with every member's name, as it is written between its quotation marks, and value.
    @inline(__always)
    private func walkMembers(_ body: (UnsafeBufferPointer<UInt8>, _ key: Range<Int>, _ value: Range<Int>) -> Void) {
        walk { scanner in
            scanner.skipWhitespace()
            let start = scanner.index
            scanner.skipValue()
            let key = (start + 1)..<(scanner.index - 1)
            scanner.skipWhitespace()
            scanner.step()
            scanner.skipWhitespace()
            let valueStart = scanner.index
            scanner.skipValue()
            body(scanner.bytes, key, valueStart..<scanner.index)
        }
    }

    private static func value(_ scanner: inout TrustedScanner, _ text: [UInt8]) -> JSONView {
        scanner.skipWhitespace()
        let start = scanner.index
        scanner.skipValue()
        return JSONView(text: text, range: start..<scanner.index)
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            guard bytes[index] == UInt8(ascii: "\\") else {
                output.append(bytes[index])
                index += 1
                continue
            }
            let escape = bytes[index + 1]
            index += 2
            switch escape {
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "n"): output.append(0x0A)
            case UInt8(ascii: "r"): output.append(0x0D)
            case UInt8(ascii: "t"): output.append(0x09)
            case UInt8(ascii: "u"):
                let scalar = decodeUnicodeEscape(bytes, &index)
                output.append(contentsOf: String(Character(scalar)).utf8)
            default: output.append(escape)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Reads the four digits at `index`, and a second escape when the two make a surrogate pair.
    private static func decodeUnicodeEscape(_ bytes: ArraySlice<UInt8>, _ index: inout Int) -> UnicodeScalar {
        let replacement: UnicodeScalar = "\u{FFFD}"
        func digits(at start: Int) -> UInt32 {
            bytes[start..<(start + 4)].reduce(0) { $0 << 4 | (JSONScanner.hexValue($1) ?? 0) }
        }
        let first = digits(at: index)
        index += 4
        guard (0xD800...0xDFFF).contains(first) else { return UnicodeScalar(first) ?? replacement }
        guard first < 0xDC00, index + 6 <= bytes.endIndex,
            bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
        else { return replacement }
        let second = digits(at: index + 2)
        guard (0xDC00...0xDFFF).contains(second) else { return replacement }
        index += 6
        return UnicodeScalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? replacement
    }
}

/// Finds the ends of values in text that ``JSONScanner`` has accepted.
private struct TrustedScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    private(set) var index: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, from index: Int) {
        self.bytes = bytes
        self.index = index
    }

    var current: UInt8 { bytes[index] }

    mutating func step() { index += 1 }

    mutating func skipWhitespace() {
        while index < bytes.count, JSONScanner.isWhitespace(bytes[index]) { index += 1 }
    }

    mutating func skipValue() {
        var depth = 0
        repeat {
            switch bytes[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                index += 1
            case UInt8(ascii: "\""):
                skipString()
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09:
                index += 1
            default:
                skipScalar()
            }
        } while depth > 0
    }

    private mutating func skipString() {
        index += 1
        while bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
        index += 1
    }

    private mutating func skipScalar() {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09:
                return
            default:
                index += 1
            }
        }
    }
}
