/// Text that may be shown on a terminal.
enum TerminalText {
    /// Appends `bytes` (UTF-8), every control character (C0, DEL, C1) as the escape that JSON has for it.
    ///
    /// JSON itself allows DEL and C1 in strings as they are, and a terminal obeys them: U+009B starts a command as
    /// ESC `[` does.
    static func append(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        var isAfterC2 = false
        for byte in bytes {
            if isAfterC2 {
                // In UTF-8, C1 is 0xC2 and then 0x80 to 0x9F.
                isAfterC2 = false
                if (0x80...0x9F).contains(byte) {
                    appendEscape(byte, to: &output)
                } else {
                    output.append(0xC2)
                    output.append(byte)
                }
            } else if byte == 0xC2 {
                isAfterC2 = true
            } else if byte < 0x20 || byte == 0x7F {
                appendEscape(byte, to: &output)
            } else {
                output.append(byte)
            }
        }
    }

    private static func appendEscape(_ byte: UInt8, to output: inout [UInt8]) {
        let digits = String(byte, radix: 16)
        output.append(contentsOf: "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
    }
}
