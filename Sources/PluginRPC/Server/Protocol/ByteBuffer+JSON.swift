internal import GroupSPI
internal import NIOCore

extension ByteBuffer {
    /// Writes a string with its quotation marks, without a copy unless something in it has to be escaped.
    mutating func writeJSONString(_ string: String) {
        let needsEscape = string.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
        guard !needsEscape else {
            writeBytes(JSON.string(string).bytes)
            return
        }
        writeInteger(UInt8(ascii: "\""))
        writeString(string)
        writeInteger(UInt8(ascii: "\""))
    }
}
