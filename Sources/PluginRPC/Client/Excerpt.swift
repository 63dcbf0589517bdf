/// The beginning of what a peer has sent, fit for an error message.
enum Excerpt {
    private static let length = 80

    static func of(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        for byte in bytes.prefix(length) {
            text += (0x20..<0x7F).contains(byte) ? String(UnicodeScalar(byte)) : "·"
        }
        return bytes.count > length ? text + "…" : text
    }
}
