internal import GroupSPI

/// Cuts what a stream peer sends into replies: one JSON object after the other, any or no white space between.
///
/// It looks at each byte once and only for where an object ends; ``ReplyDecoder`` checks the grammar. It never keeps
/// more than ``JSONLimits/maximumBytes``.
struct ReplyFramer {
    private let limits: JSONLimits
    private var reply: [UInt8] = []
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    init(limits: JSONLimits) {
        self.limits = limits
    }

    /// Takes the next bytes and returns the replies that they complete.
    ///
    /// - Throws: ``TransportError`` `malformedReply`. The peer is then beyond repair: nobody knows where its next reply begins.
    mutating func append(_ bytes: some Sequence<UInt8>) throws(TransportError) -> [[UInt8]] {
        var replies: [[UInt8]] = []
        for byte in bytes {
            if depth == 0 {
                if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { continue }
                guard byte == UInt8(ascii: "{") else {
                    let rest = Array(bytes.drop { $0 != byte })
                    throw .malformedReply("something that is not a JSON object: \(Excerpt.of(rest))")
                }
            }
            guard reply.count < limits.maximumBytes else {
                throw .malformedReply("a reply of more than \(limits.maximumBytes) bytes")
            }
            reply.append(byte)
            if try advance(byte) {
                replies.append(reply)
                reply.removeAll(keepingCapacity: reply.count < 65536)
            }
        }
        return replies
    }

    /// True when the byte ends the object.
    private mutating func advance(_ byte: UInt8) throws(TransportError) -> Bool {
        if isInString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return false
        }
        switch byte {
        case UInt8(ascii: "\""):
            isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            guard depth <= limits.maximumDepth else {
                throw .malformedReply("a reply nested deeper than \(limits.maximumDepth) levels")
            }
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
        default:
            break
        }
        return depth == 0
    }
}
