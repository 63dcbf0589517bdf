import Testing

@testable import Manager

struct GuardMessageTests {
    @Test(
        arguments: [
            GuardMessage(number: 0, deadline: nil), GuardMessage(number: 1, deadline: BootInstant(nanoseconds: 1)),
            GuardMessage(number: .max, deadline: BootInstant(nanoseconds: .max)),
            GuardMessage(number: 258, deadline: BootInstant(nanoseconds: 65_537)),
        ]
    )
    func comesBackAsItWas(_ message: GuardMessage) {
        #expect(message.bytes.count == GuardMessage.size)
        #expect(GuardMessage(message.bytes[...]) == message)
        // Also out of the middle of a buffer.
        #expect(GuardMessage(([9, 9] + message.bytes)[2...]) == message)
    }

    @Test func bytesAreBigEndian() {
        let message = GuardMessage(number: 1, deadline: BootInstant(nanoseconds: 256))
        #expect(message.bytes == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0])
    }
}
