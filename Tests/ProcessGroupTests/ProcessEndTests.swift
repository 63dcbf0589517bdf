import Testing

@testable import ProcessGroup

struct ProcessEndTests {
    @Test(
        arguments: [
            (0, ProcessEnd.exited(0)), (256, .exited(1)), (9, .signalled(9)), (0x8B, .signalled(11)),
        ] as [(Int32, ProcessEnd)]
    )
    func waitStatus(status: Int32, expected: ProcessEnd) {
        #expect(ProcessEnd(waitStatus: status) == expected)
    }
}
