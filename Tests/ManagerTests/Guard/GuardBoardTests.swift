import Glibc
import GroupSPI
import Logging
import Testing

@testable import Manager

struct GuardBoardTests {
    private func withBoard(_ body: (GuardBoard, any GuardKnowledge) throws -> Void) throws {
        let board = try GuardBoard()
        try body(board, try #require(GuardBoard.Reader(board.memory)))
    }

    @Test func tellsTheDeadlineAndTheGroups() throws {
        try withBoard { board, guardSide in
            #expect(guardSide.deadline == nil)
            #expect(guardSide.groups == [])
            board.set(BootInstant(nanoseconds: 123_456_789_012))
            #expect(guardSide.deadline == BootInstant(nanoseconds: 123_456_789_012))
            board.set(nil)
            #expect(guardSide.deadline == nil)
            let long = Identifier(String(repeating: "long", count: 5000))
            for group: Identifier in ["a", "b", "", "a", "ä\n\u{0}/x", "caf\u{E9}", "cafe\u{301}", long] {
                #expect(board.add(group) == nil)
            }
            board.remove("b")
            board.remove("never")
            #expect(guardSide.groups == ["a", "", "ä\n\u{0}/x", "caf\u{E9}", "cafe\u{301}", long])
            board.removeAll()
            #expect(guardSide.groups == [])
            #expect(board.add("c") == nil)
            #expect(guardSide.groups == ["c"])
        }
    }

    /// What comes and goes takes no more memory for ever.
    @Test func isWrittenAnewWhenMostOfItIsOutOfDate() throws {
        try withBoard { board, guardSide in
            for number in 1...20_000 { #expect(board.add("group-\(number)") == nil) }
            #expect(guardSide.groups.count == 20_000)
            for number in 1...19_990 { board.remove("group-\(number)") }
            #expect(guardSide.groups == Set((19_991...20_000).map { Identifier("group-\($0)") }))
            for number in 1...100_000 {
                #expect(board.add("short-\(number)") == nil)
                board.remove("short-\(number)")
            }
            #expect(guardSide.groups.count == 10)
            var status = stat()
            #expect(fstat(board.memory, &status) == 0)
            #expect(status.st_blocks * 512 < 1024 * 1024, "\(status.st_blocks) blocks")
        }
    }

    /// Another thread reads while it is written: it finds each group that stood all the time, whenever it looks.
    @Test func isReadWhileItIsWritten() async throws {
        let board = try GuardBoard()
        let guardSide = try #require(GuardBoard.Reader(board.memory))
        for number in 1...100 { #expect(board.add("stays-\(number)") == nil) }
        let stays = Set((1...100).map { Identifier("stays-\($0)") })
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for number in 1...50_000 {
                    _ = board.add("comes-\(number)")
                    board.remove("comes-\(number)")
                }
            }
            tasks.addTask {
                for _ in 1...500 { #expect(guardSide.groups.isSuperset(of: stays)) }
            }
        }
    }

    @Test func isNoOtherFile() throws {
        #expect(GuardBoard.Reader(-1) == nil)
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        #expect(GuardBoard.Reader(null) == nil)
    }
}
