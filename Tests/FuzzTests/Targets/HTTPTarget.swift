import GroupSPI

/// The HTTP dialect: every request is answered by exactly one response, in its turn, and a connection that cannot go on
/// ends; however the bytes are cut.
enum HTTPTarget {
    static func run(_ input: [UInt8]) throws {
        guard let first = input.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }), isLetter(first) else {
            return
        }
        let sent = try responses(Conversation.hold([input[...]]))
        let inPieces = try responses(Conversation.hold(pieces(of: input[...])))
        try require(
            inPieces.count == sent.count && zip(inPieces, sent).allSatisfy(saysTheSame),
            "in pieces it is answered differently:\n  \(inPieces)\n  \(sent)"
        )
        let expected = try ExpectedResponses.to(input)
        let answers = sent.filter { !$0.isContinue }
        try same(answers.count, expected.count, "responses, and requests to be answered")
        for (answer, expected) in zip(answers, expected) { try expected.check(answer) }
    }

    /// Whether both are the same response, or name one of two faults of the same header line: the decoder learns how long
    /// a line is at the end of each piece, and that a character is not allowed where the character stands.
    private static func saysTheSame(_ one: HTTPResponseText, _ other: HTTPResponseText) -> Bool {
        one == other || one.closes && other.closes && Set([one.status, other.status]) == [400, 431]
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF)
    }

    private static func responses(_ bytes: [UInt8]) throws -> [HTTPResponseText] {
        var rest = bytes[...]
        var responses: [HTTPResponseText] = []
        while !rest.isEmpty {
            try require(responses.last?.closes != true, "a response after the last one")
            responses.append(try HTTPResponseText(&rest))
        }
        return responses
    }
}
