import GroupSPI
import Testing

@testable import Store

@Suite struct VerifyTests {
    private func fill(_ leader: Leader) async throws {
        for index in 1...8 {
            try await leader.append(
                [.set("a", index), index % 2 == 0 ? .free("b") : .destroy("b")],
                message: "number \(index)",
                author: index % 3 == 0 ? Author(user: nil, uid: nil, host: "x") : .tester
            )
        }
    }

    @Test func anUntouchedHistoryIsSound() async throws {
        try await withLeader { leader in
            try await fill(leader)
            let revision = try #require(try await leader.store.revision(3, within: patience))
            try await leader.settle(revision, .rejected, error: "outcomes are not part of the chain")
            #expect(
                try await leader.store.verify(within: patience) == Verification(newest: 8, revisions: 8, problems: [])
            )
            #expect(try await leader.store.verifyFile(within: patience) == [])
        }
    }

    @Test func anEmptyHistoryIsSound() async throws {
        try await withStore { store in
            let verification = try await store.verify(within: patience)
            #expect(verification == Verification(newest: 0, revisions: 0, problems: []))
        }
    }

    @Test(
        arguments: [
            ("UPDATE revision SET message = 'never' WHERE number = 4", ["revision 4 "]),
            ("UPDATE revision SET token = zeroblob(16) WHERE number = 4", ["revision 4 "]),
            ("UPDATE revision SET time = time + 1 WHERE number = 4", ["revision 4 "]),
            ("UPDATE revision SET epoch = 2 WHERE number = 4", ["revision 4 "]),
            ("UPDATE revision SET operation = 5 WHERE number = 4", ["revision 4 "]),
            ("UPDATE revision SET target = 2 WHERE number = 4", ["revision 4 "]),
            ("UPDATE revision SET author = 2 WHERE number = 4", ["revision 4 "]),
            ("UPDATE revision SET manager = 2 WHERE number = 4", ["revision 4 "]),
            ("UPDATE revision SET hash = zeroblob(32) WHERE number = 4", ["revision 4 ", "revision 5 "]),
            ("UPDATE author SET user = 'eve' WHERE id = 2", ["revision 3 ", "revision 6 "]),
            ("UPDATE name SET text = 'c' WHERE text = 'b'", (1...8).map { "revision \($0) " }),
            ("UPDATE change SET action = 2 WHERE revision = 5", ["revision 5 "]),
            ("UPDATE change SET spec = 1 WHERE revision = 5 AND spec IS NOT NULL", ["revision 5 "]),
            ("DELETE FROM change WHERE revision = 5 AND action = 3", ["revision 5 "]),
            (
                "PRAGMA foreign_keys = OFF; DELETE FROM revision WHERE number = 4",
                ["a change names revision 4,", "revision 4 is missing", "revision 5 "]
            ),
            (
                "PRAGMA foreign_keys = OFF; INSERT INTO change VALUES (1, 99, 2, NULL, NULL, 1, NULL)",
                ["a change names revision 99,"]
            ),
            ("UPDATE spec SET body = CAST('{}' AS BLOB) WHERE id = 2", ["specification 2 "]),
            ("UPDATE spec SET hash = zeroblob(32) WHERE id = 2", ["specification 2 ", "revision 2 "]),
            ("PRAGMA foreign_keys = OFF; DELETE FROM spec WHERE id = 2", ["revision 2 "]),
        ] as [(String, [String])]
    )
    func whatWasChangedIsNamed(_ tampering: String, _ expected: [String]) async throws {
        try await withLeader { leader in
            try await fill(leader)
            try rawConnection(leader.store.path).executeScript(tampering)
            let verification = try await leader.store.verify(within: patience)
            #expect(verification.problems.count == expected.count, "\(verification.problems)")
            for (problem, beginning) in zip(verification.problems, expected) {
                #expect(problem.sentence.hasPrefix(beginning), "\(problem)")
            }
            #expect(verification.newest == 8 && !verification.isSound)
        }
    }

    @Test func aReferenceToNothingIsFound() async throws {
        try await withLeader { leader in
            try await fill(leader)
            let raw = try rawConnection(leader.store.path)
            try raw.executeScript("PRAGMA foreign_keys = OFF; DELETE FROM spec WHERE id = 2")
            let problems = try await leader.store.verifyFile(within: patience)
            #expect(problems == ["a row of table 'change' refers to a row of table 'spec' that does not exist"])
        }
    }

    @Test func theChainIsWalkedInParts() async throws {
        try await withLeader { leader in
            try await fill(leader)
            let raw = try rawConnection(leader.store.path)
            try raw.execute("UPDATE revision SET message = '' WHERE number = 7")
            var position = Connection.ChainPosition()
            var problems: [Damage] = []
            var last = -1
            while last != position.number {
                last = position.number
                problems += try raw.verifyChain(from: &position, count: 3)
            }
            #expect(position.number == 8 && problems.count == 1 && problems[0].sentence.hasPrefix("revision 7 "))
        }
    }

    /// The clock of whoever set a tag may have been wrong: nothing is concluded from it.
    @Test func aTagOfAnyTimeIsSound() async throws {
        try await withStore { store in
            let leader = try await lead(store)
            try await leader.append([.set("a", 1)])
            try await store.setTag("t", to: 1, author: .tester, moving: false, within: patience)
            let raw = try rawConnection(store.path)
            for time in [-29_000, 0] {
                try raw.execute("UPDATE tag SET time = ?", .int(time))
                #expect(try await store.verify(within: patience).problems == [])
            }
        }
    }
}
