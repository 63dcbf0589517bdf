/// The grammar of RFC 8259 once more, written as it stands there, to compare the scanner with.
struct JSONReference {
    enum Verdict: Equatable {
        case invalid
        /// JSON with that many levels of arrays and objects.
        case depth(Int)
        /// Invalid, or deeper than anybody accepts.
        case beyond
    }

    /// Deeper than any limit, and not too deep for a stack.
    static let deepest = 600

    private struct Invalid: Error {}
    private struct TooDeep: Error {}

    private let text: [UInt8]
    private var index = 0

    static func verdict(_ text: [UInt8]) -> Verdict {
        // Outside strings there is ASCII alone: the text is UTF-8 when its strings are.
        guard String(validating: text, as: UTF8.self) != nil else { return .invalid }
        var reference = JSONReference(text: text)
        do {
            let depth = try reference.value(0)
            return reference.index == text.count ? .depth(depth) : .invalid
        } catch is TooDeep {
            return .beyond
        } catch {
            return .invalid
        }
    }

    private init(text: [UInt8]) {
        self.text = text
    }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private mutating func space() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
    }

    private mutating func take(_ expected: String) throws {
        for byte in expected.utf8 {
            guard next == byte else { throw Invalid() }
            index += 1
        }
    }

    /// ws value ws; how many levels it has.
    private mutating func value(_ level: Int) throws -> Int {
        guard level < Self.deepest else { throw TooDeep() }
        space()
        defer { space() }
        switch next.map({ Character(UnicodeScalar($0)) }) {
        case "{":
            return try list("{", "}", level) { reference throws in
                reference.space()
                try reference.string()
                reference.space()
                try reference.take(":")
            }
        case "[": return try list("[", "]", level) { _ in }
        case "\"": try string()
        case "t": try take("true")
        case "f": try take("false")
        case "n": try take("null")
        default: try number()
        }
        return 0
    }

    private mutating func list(
        _ start: String,
        _ end: String,
        _ level: Int,
        before: (inout JSONReference) throws -> Void
    ) throws -> Int {
        try take(start)
        space()
        var depth = 0
        if next == end.utf8.first {
            try take(end)
            return 1
        }
        while true {
            try before(&self)
            depth = max(depth, try value(level + 1))
            guard next == UInt8(ascii: ",") else { break }
            index += 1
        }
        try take(end)
        return depth + 1
    }

    private mutating func string() throws {
        try take("\"")
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw Invalid() }
            index += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escape = next, "\"\\/bfnrtu".utf8.contains(escape) else { throw Invalid() }
            index += 1
            guard escape == UInt8(ascii: "u") else { continue }
            for _ in 0..<4 {
                guard let digit = next, "0123456789abcdefABCDEF".utf8.contains(digit) else { throw Invalid() }
                index += 1
            }
        }
        try take("\"")
    }

    private mutating func number() throws {
        if next == UInt8(ascii: "-") { index += 1 }
        if next == UInt8(ascii: "0") { index += 1 } else { try digits() }
        if next == UInt8(ascii: ".") {
            index += 1
            try digits()
        }
        guard next == UInt8(ascii: "e") || next == UInt8(ascii: "E") else { return }
        index += 1
        if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
        try digits()
    }

    private mutating func digits() throws {
        let start = index
        while let byte = next, "0123456789".utf8.contains(byte) { index += 1 }
        guard index > start else { throw Invalid() }
    }

    // MARK: - Strings

    /// What a string stands for, by way of UTF-16, in which escapes are written; a lone surrogate is U+FFFD.
    ///
    /// - Parameter bytes: valid, with the quotation marks.
    static func decoded(_ bytes: ArraySlice<UInt8>) -> String {
        var units: [UInt16] = []
        var rest = Array(String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self).utf16)[...]
        while let unit = rest.popFirst() {
            guard unit == 0x5C, let escape = rest.popFirst() else {
                units.append(unit)
                continue
            }
            switch Character(UnicodeScalar(escape) ?? "?") {
            case "u":
                units.append(UInt16(String(decoding: rest.prefix(4), as: UTF16.self), radix: 16) ?? 0)
                rest = rest.dropFirst(4)
            case "b": units.append(8)
            case "f": units.append(12)
            case "n": units.append(10)
            case "r": units.append(13)
            case "t": units.append(9)
            default: units.append(escape)
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}
