/// Lays checked JSON text out over lines.
struct JSONLayout {
    let unit: [UInt8]
    let prefix: [UInt8]
    private var output: [UInt8] = []
    private var depth = 0

    init(unit: [UInt8], prefix: [UInt8]) {
        self.unit = unit
        self.prefix = prefix
    }

    mutating func indent(_ bytes: [UInt8]) -> [UInt8] {
        var index = 0
        var inString = false
        var isEmptyContainer = false
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if inString {
                output.append(byte)
                if byte == UInt8(ascii: "\\") {
                    output.append(bytes[index])
                    index += 1
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            if JSONScanner.isWhitespace(byte) { continue }
            let closes = byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            if isEmptyContainer && !closes { newline() }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                output.append(byte)
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if !isEmptyContainer { newline() }
                output.append(byte)
            case UInt8(ascii: ","):
                output.append(byte)
                newline()
            case UInt8(ascii: ":"):
                output.append(byte)
                output.append(UInt8(ascii: " "))
            default:
                output.append(byte)
                inString = byte == UInt8(ascii: "\"")
            }
            isEmptyContainer = byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
        }
        return output
    }

    private mutating func newline() {
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: prefix)
        for _ in 0..<depth { output.append(contentsOf: unit) }
    }
}
