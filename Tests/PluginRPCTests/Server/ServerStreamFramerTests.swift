import GroupSPI
import NIOCore
import Testing

@testable import PluginRPC

@Suite struct ServerStreamFramerTests {
    /// Every message of a text that arrives in pieces of one size.
    private func messages(_ text: String, piece: Int, limits: JSONLimits = .standard) throws -> [String] {
        var framer = StreamFramer(limits: limits)
        var messages: [String] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            framer.append(ByteBuffer(bytes: bytes[start..<min(start + piece, bytes.count)]))
            while let message = try framer.next() { messages.append(String(decoding: message, as: UTF8.self)) }
        }
        return messages
    }

    private let nasty = [
        #"{"a":"}{\"]\\","b":[1,{"c":"é\u007d"}]}"#, "{}", #"{"x":"\\\""}"#, #"{"k":{"k":{"k":[[[]]]}}}"#,
    ]

    @Test(arguments: 1...40)
    func findsTheSameMessagesHoweverTheyAreCut(piece: Int) throws {
        let text = " \n" + nasty[0] + nasty[1] + "\r\n\t" + nasty[2] + nasty[3] + "\n"
        #expect(try messages(text, piece: piece) == nasty)
    }

    @Test func knowsWhetherAMessageHasBegun() throws {
        var framer = StreamFramer(limits: .standard)
        framer.append(ByteBuffer(string: "  \n"))
        #expect(try framer.next() == nil)
        #expect(!framer.isInsideMessage)
        framer.append(ByteBuffer(string: #"{"a":1"#))
        #expect(try framer.next() == nil)
        #expect(framer.isInsideMessage)
        framer.append(ByteBuffer(string: "} "))
        #expect(try framer.next() != nil)
        #expect(!framer.isInsideMessage)
    }

    @Test(arguments: [1, 7, 1000])
    func refusesAMessageAsSoonAsItIsTooLarge(piece: Int) throws {
        let limits = JSONLimits(maximumBytes: 20, maximumDepth: 512)
        #expect(try messages(#"{"a":"0123456789ab"}"#, piece: piece, limits: limits).count == 1)
        #expect(throws: StreamFramer.Violation.self) {
            try messages(#"{"a":"0123456789abc"}"#, piece: piece, limits: limits)
        }
        // Without its end, too: nothing waits for a message that never ends.
        #expect(throws: StreamFramer.Violation.self) {
            try messages(#"{"a":"0123456789abcdefgh"#, piece: piece, limits: limits)
        }
    }

    @Test func refusesAMessageThatIsTooDeep() throws {
        let limits = JSONLimits(maximumBytes: 1000, maximumDepth: 3)
        #expect(try messages(#"{"a":[{}]}"#, piece: 1, limits: limits).count == 1)
        #expect(throws: StreamFramer.Violation.self) { try messages(#"{"a":[{"b":["#, piece: 1, limits: limits) }
    }

    @Test(arguments: ["[1]", "x", "\"text\"", "7", "}"])
    func refusesWhatIsNoObject(text: String) {
        #expect(throws: StreamFramer.Violation.self) { try messages("{}\(text)", piece: 2) }
    }
}
