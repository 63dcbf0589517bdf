import GroupSPI

/// The HTTP dialect: every request is answered by exactly one response, in its turn, and a connection that cannot go on
/// ends; however the bytes are cut.
enum HTTPTarget {
    static func run(_ input: [UInt8]) throws {
        guard let first = input.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }), isLetter(first) else {
            return
        }
        let sent = try responses(Conversation.hold([input[...]]))
        try same(try responses(Conversation.hold(pieces(of: input[...]))), sent, "in pieces it is answered differently")
        let expected = try ExpectedResponses.to(input)
        let answers = sent.filter { !$0.isContinue }
        try same(answers.count, expected.count, "responses, and requests to be answered")
        for (answer, expected) in zip(answers, expected) { try expected.check(answer) }
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
