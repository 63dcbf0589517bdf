import Dispatch
import Glibc
import GroupSPI
import Testing

@testable import Manager

struct LeaderFileTests {
    private func inhibitor(_ path: String) async -> String? {
        await LeaderFile(path: path, names: ["one", "host/one"], timeout: .seconds(20)).inhibitor()
    }

    @Test(
        arguments: [
            ("one", nil), ("one\n", nil), ("  host/one \r\n\n", nil), ("two\n", "names 'two'"), ("", "is empty"),
            (" \n", "is empty"), ("one two", "names 'one two'"),
        ]
    )
    func namesTheLeader(_ content: String, _ expected: String?) async throws {
        try await withScratchDirectory { folder in
            write(content, to: "\(folder)/leader")
            let inhibitor = await inhibitor("\(folder)/leader")
            if let expected {
                #expect(inhibitor?.contains("\(folder)/leader \(expected)") == true, "\(inhibitor ?? "nil")")
            } else {
                #expect(inhibitor == nil)
            }
        }
    }

    @Test func aLongFileIsNotQuoted() async throws {
        try await withScratchDirectory { folder in
            write(String(repeating: "n", count: 5000), to: "\(folder)/leader")
            #expect(await inhibitor("\(folder)/leader") == "the leader file \(folder)/leader is longer than 4096 bytes")
            write(String(repeating: "n", count: 3000), to: "\(folder)/leader")
            let name = String(repeating: "n", count: 100)
            #expect(await inhibitor("\(folder)/leader") == "the leader file \(folder)/leader names '\(name)…'")
        }
    }

    @Test(.enabled(if: getuid() == 0, "only root can make another user's link"))
    func aLinkOfAnotherUserIsNotFollowed() async throws {
        try await withScratchDirectory { folder in
            write("one", to: "\(folder)/file")
            #expect(symlink("file", "\(folder)/leader") == 0)
            #expect(await inhibitor("\(folder)/leader") == nil)
            #expect(lchown("\(folder)/leader", 4711, 4711) == 0)
            #expect(await inhibitor("\(folder)/leader")?.contains("another user could have made") == true)
        }
    }

    @Test func aFileThatCannotBeReadNamesNobody() async throws {
        try await withScratchDirectory { folder in
            #expect(await inhibitor("\(folder)/none")?.contains("No such file") == true)
            #expect(await inhibitor(folder) == "the leader file \(folder) must be a file")
        }
    }

    /// Each reading that hangs keeps a thread, and threads are few: the store's clocks need them too.
    @Test func aFileThatDoesNotAnswerKeepsOneReaderAtMost() async throws {
        let readers = Shared(0)
        let semaphore = DispatchSemaphore(value: 0)
        let file = TimedFileReader("/mnt/leader", limit: 10) { _ in
            readers.update { $0 += 1 }
            semaphore.wait()
            return .success(Array("one".utf8))
        }
        for _ in 0..<50 {
            guard case .failure(let trouble) = await file.read(within: .milliseconds(20)) else {
                throw NeverCame(description: "an answer from nowhere")
            }
            #expect(trouble.message == "/mnt/leader does not answer")
            #expect(!trouble.isMissing)
        }
        #expect(readers.value == 1)
        // The server is back.
        for _ in 0..<1000 { semaphore.signal() }
        try await eventually("it answers again") {
            if case .success(let bytes) = await file.read(within: .seconds(20)) {
                bytes == Array("one".utf8)
            } else {
                false
            }
        }
    }
}
