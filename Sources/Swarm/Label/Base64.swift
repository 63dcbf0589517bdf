/// Base64 with the standard alphabet and padding (RFC 4648, section 4), as Go's `base64.StdEncoding` writes it.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    /// By the byte; 255 is none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    /// The encoded length of that many bytes.
    static func length(of count: Int) -> Int { (count + 2) / 3 * 4 }

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(length(of: bytes.count))
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                output.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63] : padding)
            }
        }
        return output
    }

    /// - Throws: a sentence's part that says what is wrong.
    static func decode(_ text: some Sequence<UInt8>) throws(Base64Error) -> [UInt8] {
        // As in Go, line ends may stand anywhere.
        let text = text.filter { $0 != 0x0A && $0 != 0x0D }
        guard text.count % 4 == 0 else { throw Base64Error(reason: "its base64 is cut off, or lacks its padding") }
        let end = text.lastIndex { $0 != padding }.map { $0 + 1 } ?? 0
        guard text.count - end <= 2 else { throw Base64Error(reason: "its base64 has too much padding") }
        var output: [UInt8] = []
        output.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for index in 0..<end {
            let value = values[Int(text[index])]
            guard value != 255 else { throw Base64Error(reason: "byte \(index) of it is not base64") }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        guard bits & (1 << count - 1) == 0 else { throw Base64Error(reason: "its base64 ends in the middle of a byte") }
        return output
    }
}

struct Base64Error: Error {
    let reason: String
}
