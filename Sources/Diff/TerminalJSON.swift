internal import Terminal

/// JSON as it may be shown on a terminal.
enum TerminalJSON {
    /// Appends `bytes` (UTF-8), with JSON's own escape for whatever a terminal would obey (``TerminalText``).
    ///
    /// JSON allows DEL, C1 and marks of direction in strings as they are, and a terminal obeys them: U+009B starts a command
    /// as ESC `[` does.
    static func append(_ bytes: some Collection<UInt8>, to output: inout [UInt8]) {
        guard bytes.contains(where: mayBeObeyed) else { return output.append(contentsOf: bytes) }
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if TerminalText.isObeyed(scalar) {
                for unit in UTF16.encode(scalar).map(Array.init) ?? [] {
                    let digits = String(unit, radix: 16)
                    output.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
                }
            } else {
                output.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
            }
        }
    }

    /// Whether a byte is one of them, or the first of a scalar that may be.
    private static func mayBeObeyed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<0x20, 0x7F, 0xC2, 0xD8, 0xE1, 0xE2, 0xEF, 0xF3: true
        default: false
        }
    }
}
