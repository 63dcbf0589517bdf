import GroupSPI

@testable import PluginRPC

/// The stream dialect: every message up to the first that is none is answered once, under its own id, and then the
/// connection ends; however the bytes are cut.
enum StreamTarget {
    static func run(_ input: [UInt8]) throws {
        // Anything else is HTTP's, or nobody's.
        guard input.first(where: { !isSpace($0) }) == UInt8(ascii: "{") else { return }
        let sent = try Conversation.hold([input[...]])
        try same(try Conversation.hold(pieces(of: input[...])), sent, "in pieces it is answered differently")
        let replies = try replies(sent)
        try same(replies, ids(input), "the ids of the replies, and of the messages")
    }

    /// The ids of the replies. An id that has line ends in it is sent back with them.
    private static func replies(_ sent: [UInt8]) throws -> [RawJSON] {
        var ids: [RawJSON] = []
        var rest = sent[...]
        while !rest.isEmpty {
            let end = try require(end(of: rest), "a reply that is not JSON")
            let members = try JSONView(Array(rest[..<end]), limits: JSONLimits(maximumBytes: .max)).members
            try same(members.map(\.name), ["id", "result", "error"], "a reply's members")
            try require(
                members[1].value.isNull != members[2].value.isNull,
                "a reply with both result and error, or neither"
            )
            ids.append(members[0].value.raw)
            rest = rest[end...]
        }
        try require(sent.isEmpty || sent.last == UInt8(ascii: "\n"), "a reply without a line end")
        return ids
    }

    /// The ids of the messages that are to be answered.
    private static func ids(_ input: [UInt8]) -> [RawJSON] {
        var ids: [RawJSON] = []
        var rest = input[...].drop(while: isSpace)
        let limits = Conversation.configuration.limits
        // White space behind a message is none of its bytes.
        let depth = JSONLimits(maximumBytes: .max, maximumDepth: limits.maximumDepth)
        while let end = end(of: rest) {
            guard let message = try? JSONView(Array(rest[..<end]), limits: depth), message.kind == .object,
                message.bytes.count <= limits.maximumBytes
            else { break }
            if let method = message.member("method"), !method.isNull, method.kind != .string { break }
            ids.append(message.member("id")?.raw ?? .null)
            rest = rest[end...].drop(while: isSpace)
        }
        return ids
    }

    /// Where the first JSON value ends: before the first byte that is too much.
    private static func end(of text: ArraySlice<UInt8>) -> Int? {
        guard !text.isEmpty else { return nil }
        do throws(JSONError) {
            _ = try JSONView(Array(text), limits: JSONLimits(maximumBytes: .max))
            return text.endIndex
        } catch {
            return error.code == .trailingData ? text.startIndex + error.offset : nil
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}
