internal import GroupSPI

/// What a YAML scalar stands for in JSON: the core schema of YAML 1.2. Spellings that YAML 1.1 reads differently are
/// refused rather than guessed.
enum YAMLScalar {
    /// - Parameters:
    ///   - text: the scalar.
    ///   - isPlain: written without quotes and without a tag.
    ///   - tag: an explicit one.
    static func json(_ text: String, isPlain: Bool, tag: String?, line: Int) throws(DocumentError) -> JSON {
        switch tag {
        case "tag:yaml.org,2002:str", "!": return .string(text)
        case nil: return isPlain ? try plain(text, line: line) : .string(text)
        case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            let value = try plain(text, line: line)
            if case .string = value {
                throw DocumentError(line: line, "'\(text)' does not match its tag \(tag ?? "")")
            }
            return value
        case let tag?: throw DocumentError(line: line, "the tag \(tag) is not known; write the value without it")
        }
    }

    private static func plain(_ text: String, line: Int) throws(DocumentError) -> JSON {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: break
        }
        if ["yes", "no", "on", "off"].contains(text.lowercased()) {
            throw DocumentError(
                line: line,
                "'\(text)' is ambiguous in YAML, a boolean or a string: write true, false or \"\(text)\""
            )
        }
        if [".inf", "+.inf", "-.inf", ".nan"].contains(text.lowercased()) {
            throw DocumentError(line: line, "JSON has no number for \(text)")
        }
        // What programs write for a number that is none, where JSON is meant; it would be stored as a text.
        if ["NaN", "Infinity", "+Infinity", "-Infinity"].contains(text) {
            throw DocumentError(line: line, "JSON has no number for \(text); for a string write \"\(text)\"")
        }
        return try number(text, line: line) ?? .string(text)
    }

    private static func number(_ text: String, line: Int) throws(DocumentError) -> JSON? {
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            let digits = text.utf8.dropFirst(2).map { Character(UnicodeScalar($0)).hexDigitValue ?? radix }
            guard !digits.isEmpty, digits.allSatisfy({ $0 < radix }) else { return nil }
            guard let value = Int(text.dropFirst(2), radix: radix) else {
                throw DocumentError(
                    line: line,
                    "'\(text)' is not a number of 63 bits: write it in decimal, or in quotes"
                )
            }
            return .int(value)
        }
        var rest = text.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let whole = digits(&rest)
        var fraction: Substring.UTF8View?
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = digits(&rest)
        }
        guard !whole.isEmpty || fraction?.isEmpty == false else { return nil }
        var exponent = ""
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            exponent = "e"
            rest = rest.dropFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                exponent += sign == UInt8(ascii: "-") ? "-" : "+"
                rest = rest.dropFirst()
            }
            let power = digits(&rest)
            guard !power.isEmpty else { return nil }
            exponent += String(Substring(power))
        }
        guard rest.isEmpty else { return nil }
        if whole.count > 1, whole.first == UInt8(ascii: "0"), fraction == nil, exponent.isEmpty {
            throw DocumentError(
                line: line,
                "'\(text)' is ambiguous in YAML, octal or decimal: write it without the leading zero, or in quotes"
            )
        }
        var json = isNegative ? "-" : ""
        let significant = whole.drop { $0 == UInt8(ascii: "0") }
        json += significant.isEmpty ? "0" : String(Substring(significant))
        if let fraction { json += "." + (fraction.isEmpty ? "0" : String(Substring(fraction))) }
        return .raw(RawJSON(checked: Array((json + exponent).utf8)))
    }

    private static func digits(_ rest: inout Substring.UTF8View) -> Substring.UTF8View {
        let found = rest.prefix { (48...57).contains($0) }
        rest = rest.dropFirst(found.count)
        return found
    }
}
