import GroupSPI
import Testing

@testable import Store

struct ReaderTests {
    private func connection(_ store: Store) async throws -> ObjectIdentifier {
        try await store.reader.run(within: patience) { ObjectIdentifier($0) }
    }

    /// What is not there, or a lock, says nothing against the connection: to open another costs more than most questions, and
    /// may not be possible any more.
    @Test(arguments: [StoreError.Code.notFound, .conflict, .malformed, .fenced])
    func anAnswerThatIsNoResultKeepsTheConnection(_ code: StoreError.Code) async throws {
        try await withLeader { leader in
            let store = leader.store
            let before = try await connection(store)
            let error = try await failure {
                try await store.reader.run(within: patience) { connection in
                    _ = try connection.lease()
                    throw StoreError(code, "no")
                }
            }
            #expect(error.code == code)
            #expect(try await connection(store) == before)
            // Its transaction is over: it sees what was written since, and keeps nobody from writing.
            try await leader.append([.set("a", 1)])
            #expect(try await store.summary(within: patience).newest == 1)
            #expect(try await failure { try await store.wholeStates(at: 99, of: nil, within: patience) }.code == .notFound)
            #expect(try await connection(store) == before)
        }
    }

    @Test func afterDamageThereIsANewConnection() async throws {
        try await withLeader { leader in
            let store = leader.store
            let before = Kept()
            try await store.reader.run(within: patience) { before.connection = $0 }
            _ = try await failure {
                try await store.reader.run(within: patience) { _ in throw StoreError(.corrupt, "damaged") }
            }
            try await store.reader.run(within: patience) { #expect($0 !== before.connection) }
        }
    }

    /// Keeps it, so that its place in memory is not another's.
    private final class Kept: @unchecked Sendable {
        var connection: Connection?
    }
}
