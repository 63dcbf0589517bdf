/// Walks JSON text (RFC 8259) byte by byte, checks the grammar and builds nothing.
///
/// It keeps its own stack of open containers, so depth costs one byte a level and never the call stack.
struct JSONScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    let maximumDepth: Int
    private(set) var index: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int, from index: Int = 0) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        self.index = index
    }

    mutating func skipWhitespace() {
        while index < bytes.count, Self.isWhitespace(bytes[index]) { index += 1 }
    }

    static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// Moves past one value and the white space before it.
    ///
    /// - Throws: ``JSONError`` at the first byte that does not fit.
    mutating func skipValue() throws(JSONError) {
        var containers: [UInt8] = []
        while true {
            skipWhitespace()
            var closed = false
            switch try current() {
            case UInt8(ascii: "{"):
                try open(UInt8(ascii: "}"), &containers)
                if try startsObject() { continue }
                closed = true
            case UInt8(ascii: "["):
                try open(UInt8(ascii: "]"), &containers)
                skipWhitespace()
                if try current() != UInt8(ascii: "]") { continue }
                index += 1
                closed = true
            case UInt8(ascii: "\""):
                try skipString()
            case UInt8(ascii: "t"):
                try skipLiteral("true")
            case UInt8(ascii: "f"):
                try skipLiteral("false")
            case UInt8(ascii: "n"):
                try skipLiteral("null")
            default:
                try skipNumber()
            }
            if closed { containers.removeLast() }
            // A value has ended: close what it was the last member of, or move to the next member.
            if try advance(&containers) { return }
        }
    }

    /// Moves past a string, from its opening to its closing quotation mark.
    mutating func skipString() throws(JSONError) {
        index += 1
        while true {
            let byte = try current()
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return
            case UInt8(ascii: "\\"):
                index += 1
                try skipEscape()
            case 0..<0x20:
                throw unexpected("a control character inside a string; write it as an escape")
            case 0x20..<0x80:
                index += 1
            default:
                try skipMultibyte(byte)
            }
        }
    }

    // MARK: - Containers

    private mutating func open(_ end: UInt8, _ containers: inout [UInt8]) throws(JSONError) {
        guard containers.count < maximumDepth else {
            throw JSONError(
                code: .tooDeep,
                offset: index,
                message: "nested deeper than \(maximumDepth) levels"
            )
        }
        containers.append(end)
        index += 1
    }

    /// After `{`: true when a first member follows (its name is read), false when the object is empty (it is closed).
    private mutating func startsObject() throws(JSONError) -> Bool {
        skipWhitespace()
        if try current() == UInt8(ascii: "}") {
            index += 1
            return false
        }
        try skipName()
        return true
    }

    private mutating func skipName() throws(JSONError) {
        skipWhitespace()
        guard try current() == UInt8(ascii: "\"") else { throw unexpected("looking for a member's name in quotes") }
        try skipString()
        skipWhitespace()
        guard try current() == UInt8(ascii: ":") else { throw unexpected("looking for ':' after a member's name") }
        index += 1
    }

    /// After a value: true when the outermost value is complete.
    private mutating func advance(_ containers: inout [UInt8]) throws(JSONError) -> Bool {
        while let end = containers.last {
            skipWhitespace()
            let byte = try current()
            if byte == end {
                index += 1
                containers.removeLast()
                continue
            }
            guard byte == UInt8(ascii: ",") else {
                throw unexpected("looking for ',' or '\(Character(UnicodeScalar(end)))'")
            }
            index += 1
            if end == UInt8(ascii: "}") { try skipName() }
            return false
        }
        return true
    }

    // MARK: - Scalars

    private mutating func skipLiteral(_ literal: StaticString) throws(JSONError) {
        for offset in 0..<literal.utf8CodeUnitCount {
            guard try current() == literal.utf8Start[offset] else { throw unexpected("looking for '\(literal)'") }
            index += 1
        }
    }

    private mutating func skipNumber() throws(JSONError) {
        let start = index
        if bytes[index] == UInt8(ascii: "-") { index += 1 }
        if index < bytes.count, bytes[index] == UInt8(ascii: "0") {
            index += 1
        } else {
            try skipDigits(start == index ? "looking for a value" : "looking for a digit after '-'")
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            try skipDigits("looking for a digit after '.'")
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            try skipDigits("looking for a digit in the exponent")
        }
    }

    private mutating func skipDigits(_ expectation: String) throws(JSONError) {
        let start = index
        while index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
        if index == start {
            _ = try current()
            throw unexpected(expectation)
        }
    }

    private mutating func skipEscape() throws(JSONError) {
        switch try current() {
        case UInt8(ascii: "u"):
            index += 1
            for _ in 0..<4 {
                guard Self.hexValue(try current()) != nil else { throw unexpected("looking for four hex digits") }
                index += 1
            }
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 1
        default:
            throw unexpected("an escape that JSON does not know")
        }
    }

    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// Moves past one UTF-8 sequence of two to four bytes (Unicode, table 3-7: no overlong forms, no surrogates).
    private mutating func skipMultibyte(_ lead: UInt8) throws(JSONError) {
        let second: ClosedRange<UInt8>
        let count: Int
        switch lead {
        case 0xC2...0xDF: (second, count) = (0x80...0xBF, 2)
        case 0xE0: (second, count) = (0xA0...0xBF, 3)
        case 0xE1...0xEC, 0xEE...0xEF: (second, count) = (0x80...0xBF, 3)
        case 0xED: (second, count) = (0x80...0x9F, 3)
        case 0xF0: (second, count) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, count) = (0x80...0xBF, 4)
        case 0xF4: (second, count) = (0x80...0x8F, 4)
        default: throw invalidUTF8()
        }
        for position in 1..<count {
            guard index + position < bytes.count else { throw truncated() }
            let allowed = position == 1 ? second : 0x80...0xBF
            guard allowed.contains(bytes[index + position]) else { throw invalidUTF8() }
        }
        index += count
    }

    // MARK: - Errors

    private func current() throws(JSONError) -> UInt8 {
        guard index < bytes.count else { throw truncated() }
        return bytes[index]
    }

    private func truncated() -> JSONError {
        JSONError(code: .truncated, offset: index, message: "unexpected end of the text")
    }

    private func invalidUTF8() -> JSONError {
        JSONError(code: .invalidUTF8, offset: index, message: "a string that is not UTF-8")
    }

    private func unexpected(_ expectation: String) -> JSONError {
        let byte = bytes[index]
        let shown =
            (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
        return JSONError(code: .unexpectedByte, offset: index, message: "\(shown): \(expectation)")
    }
}
