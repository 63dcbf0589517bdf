internal import GroupSPI
internal import Platform

extension File {
    /// Turns any text into a name that is safe as one part of a path: other bytes than letters, digits, `_`, `-` and
    /// inner dots become `%XX`. A text too long for a file system is cut and told apart by its hash.
    static func safeName(_ name: Identifier) -> String {
        var safe = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                safe.unicodeScalars.append(UnicodeScalar(byte))
            case UInt8(ascii: ".") where !safe.isEmpty:
                safe += "."
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                safe += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        guard safe.utf8.count > 200 else { return safe }
        return "\(safe.prefix(150))-\(Digest.hex(Array(name.utf8), length: 16))"
    }
}
