import GroupSPI
import Store
import Testing

@testable import Manager

/// What is accepted can be given back: the specifications of all groups have a limit together.
struct ConfigurationRoomTests {
    private static func spec(_ id: Identifier, _ bytes: Int) -> GroupSpec {
        GroupSpec(id: id, properties: RawJSON(checked: Array("\"\(String(repeating: "x", count: bytes - 2))\"".utf8)))
    }

    private func withRoom(_ limit: Int, _ body: (Replica) async throws -> Void) async throws {
        func adjust(_ settings: inout TermSettings) { settings.largestConfiguration = limit }
        try await withReplica(adjust: adjust) { replica in
            try await replica.leads()
            try await body(replica)
        }
    }

    private func commit(_ replica: Replica, _ id: Identifier, _ bytes: Int) async -> GroupError? {
        await replica.error(.commit(Self.spec(id, bytes), pretend: false))
    }

    @Test func whatDoesNotFitIsRefusedAndNotStored() async throws {
        try await withRoom(5000) { replica in
            #expect(await commit(replica, "a", 2000) == nil)
            #expect(await commit(replica, "b", 2000) == nil)
            let error = try #require(await commit(replica, "c", 1000))
            #expect(error.code == .rejected)
            #expect(error.message.contains("at most 5000 are accepted. Nothing was changed."), "\(error)")
            #expect(replica.store.revisions.count == 2)
            #expect(replica.plugin.watched == ["a", "b"])
            // What needs no more is accepted, also of a group that is there.
            #expect(await commit(replica, "b", 1000) == nil)
            #expect(await commit(replica, "c", 800) == nil)
            #expect(await replica.error(.destroy(id: "a")) == nil)
            #expect(await commit(replica, "d", 2000) == nil)
        }
    }

    /// What the plugin refuses, and what could not be stored, takes no room.
    @Test func whatDoesNotStandTakesNoRoom() async throws {
        try await withRoom(3000) { replica in
            replica.plugin.script { $0.isCommit ? .fail(GroupError(.rejected, "no")) : nil }
            for _ in 0..<5 { #expect(await commit(replica, "a", 2000)?.message == "no") }
            replica.plugin.behave()
            replica.store.trouble(.fail(.busy), at: .append)
            #expect(await commit(replica, "a", 2000)?.code == .storeUnavailable)
            replica.store.trouble(nil, at: .append)
            #expect(await commit(replica, "b", 2000) == nil)
            #expect(await commit(replica, "a", 2000)?.code == .rejected)
        }
    }

    /// Writes to different groups go side by side: each must see the room that the others are about to take.
    @Test func manyAtOnceTakeNoMoreThanThereIs() async throws {
        try await withRoom(10_000) { replica in
            let errors = await withTaskGroup(of: GroupError?.self) { tasks in
                for number in 0..<20 { tasks.addTask { await commit(replica, "g\(number)", 1000) } }
                return await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(errors.count { $0 == nil } == 7)
            #expect(errors.compactMap { $0?.code } == Array(repeating: .rejected, count: 13))
        }
    }

    @Test func aTermBeginsWithWhatStands() async throws {
        try await withRoom(3000) { replica in
            #expect(await commit(replica, "a", 2000) == nil)
            try await replica.leadAgain()
            #expect(await commit(replica, "b", 2000)?.code == .rejected)
        }
    }

    /// A plugin would refuse it for its size, without a word that tells it from a plugin that is gone.
    @Test func oneThatFitsIntoNoRequestIsRefused() async throws {
        try await withRoom(GroupSpec.largestSum) { replica in
            let error = try #require(await commit(replica, "a", GroupSpec.largestOne))
            #expect(error.message.contains("has \(GroupSpec.largestOne) bytes"), "\(error)")
            #expect(await commit(replica, "a", GroupSpec.largestOne - 6) == nil)
        }
    }

    /// However a plugin writes it, it is no longer than counted.
    @Test(arguments: ["<&>", "a,b:c", "é\u{2028}日本🙂", "\\\"", "x"])
    func noSpellingIsLonger(_ text: String) throws {
        let value: JSON = .array(Array(repeating: .string(text), count: 300))
        let spec = GroupSpec(id: Identifier(text), properties: value.raw)
        var escaped = 0
        for scalar in spec.json.raw.text.unicodeScalars {
            switch scalar {
            // Everything that Go and Python escape, and Python's blanks.
            case "<", ">", "&": escaped += 6
            case ",", ":": escaped += 2
            case "\u{80}"..."\u{FFFF}": escaped += 6
            case "\u{10000}"...: escaped += 12
            default: escaped += 1
            }
        }
        #expect(escaped <= spec.largestText)
    }
}
