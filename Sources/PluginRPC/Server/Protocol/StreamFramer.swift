internal import GroupSPI
internal import NIOCore

/// Cuts the stream dialect's bytes into messages: finds where each top-level object ends.
///
/// It looks at every byte once, however the bytes are cut into chunks, and holds no more than one unfinished message of
/// the size limit plus what arrived behind it. It counts brackets and skips strings; whether the text is JSON is for
/// ``JSONView`` to say, so that nothing is checked twice.
struct StreamFramer {
    /// Bytes that cannot be a message, with the connection's only remedy: to end.
    struct Violation: Error {
        let message: String
    }

    private let limits: JSONLimits
    private var buffer = ByteBuffer()
    /// How many of the readable bytes have been looked at.
    private var scanned = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    init(limits: JSONLimits) {
        self.limits = limits
    }

    /// True when a message has begun and its end has not arrived.
    var isInsideMessage: Bool { depth > 0 }

    /// True when no byte is left over.
    var isEmpty: Bool { buffer.readableBytes == 0 }

    /// What has arrived and was not handed out.
    var bufferedBytes: Int { buffer.readableBytes }

    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            var bytes = bytes
            buffer.discardReadBytes()
            buffer.writeBuffer(&bytes)
        }
    }

    /// The next complete message, or nil until more bytes arrive.
    ///
    /// - Throws: ``Violation`` when a message does not begin with `{`, is too large or too deep.
    mutating func next() throws(Violation) -> [UInt8]? {
        if depth == 0 { skipWhitespace() }
        guard buffer.readableBytes > scanned else { return nil }
        guard try scan() else {
            guard scanned <= limits.maximumBytes else { throw tooLarge }
            return nil
        }
        guard scanned <= limits.maximumBytes else { throw tooLarge }
        let message = buffer.readBytes(length: scanned)
        scanned = 0
        // A large message's storage is not kept for the small ones after it.
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
        return message
    }

    private mutating func skipWhitespace() {
        let count = buffer.readableBytesView.prefix { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }.count
        buffer.moveReaderIndex(forwardBy: count)
    }

    /// True when the message is complete; `scanned` is then its length.
    private mutating func scan() throws(Violation) -> Bool {
        var position = scanned
        var level = depth
        var string = isInString
        var escaped = isEscaped
        let deepest = limits.maximumDepth
        var violation: Violation?
        let isComplete = buffer.withUnsafeReadableBytes { bytes in
            if level == 0, bytes[position] != UInt8(ascii: "{") {
                violation = Violation(message: "a message starts with '{', not with byte \(bytes[position])")
                return false
            }
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                if string {
                    if escaped {
                        escaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        escaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        string = false
                    }
                    continue
                }
                switch byte {
                case UInt8(ascii: "\""):
                    string = true
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    level += 1
                    if level > deepest {
                        violation = Violation(message: "a message nested deeper than \(deepest) levels")
                        return false
                    }
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    level -= 1
                    if level == 0 { return true }
                default:
                    break
                }
            }
            return false
        }
        if let violation { throw violation }
        (scanned, depth, isInString, isEscaped) = (position, level, string, escaped)
        return isComplete
    }

    private var tooLarge: Violation {
        Violation(message: "a message of more than \(limits.maximumBytes) bytes")
    }
}
