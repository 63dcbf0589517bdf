import Glibc
import GroupSPI
import Store
import Testing

/// `verify`, on what is sound and on what is not.
@Suite struct VerifyTests {
    private func verify(_ world: World, _ words: String...) async throws -> Finished {
        let temporary = "\(world.path)/tmp"
        if !Files.exists(temporary) { try Files.makeDirectory(temporary) }
        let finished = try await world.run(
            .manager,
            ["verify"] + words,
            environment: ["INFRAKIT_STORE_DIR": world.storeDirectory, "TMPDIR": temporary]
        )
        #expect(Files.names(in: temporary).isEmpty, "the copy is left behind")
        return finished
    }

    /// Replaces some bytes of a file by as many others.
    private func tamper(_ path: String, _ old: String, _ new: String) throws {
        var bytes = try #require(Files.bytes(path))
        let (old, new) = (Array(old.utf8), Array(new.utf8))
        try #require(old.count == new.count)
        var found = 0
        var index = 0
        while index + old.count <= bytes.count {
            if bytes[index] == old[0], Array(bytes[index..<index + old.count]) == old {
                bytes.replaceSubrange(index..<index + old.count, with: new)
                found += 1
            }
            index += 1
        }
        try #require(found > 0, "\(path) does not hold the bytes")
        try Files.write(bytes, to: path)
    }

    @Test func saysWhatIsSoundAndFindsWhatWasChanged() async throws {
        try await World.with { world in
            let missing = try await verify(world)
            #expect(missing.status == 5, "\(missing)")
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 424_242)
            let second = GroupSpec.sized("b", 2).json.raw.text
            #expect(try await world.manager("commit", "-", "--message", "xyzzy-1", input: second).status == 0)
            try await n1.commit("a", 3)

            // While the manager runs, with and without a copy.
            for words in [[], ["--in-place"]] {
                let text = try await world.run(
                    .manager,
                    ["verify"] + words,
                    environment: ["INFRAKIT_STORE_DIR": world.storeDirectory, "TMPDIR": world.path]
                )
                #expect(text.status == 0 && text.output == "sound: 3 revisions\n", "\(text)")
            }
            let json = try await verify(world, "-o", "json")
            #expect(try json.json().names == ["ok", "revisions", "removed", "damaged", "trusted", "problems"])
            #expect(try json.json().at("revisions")?.int == 3 && json.json().at("removed")?.int == 0)

            try n1.manager.send(SIGTERM)
            try await n1.manager.end()
            let database = "\(world.storeDirectory)/manager.db"
            let sound = try #require(Files.bytes(database))

            // A specification.
            try tamper(database, #""Size":424242"#, #""Size":424243"#)
            let spec = try await verify(world)
            #expect(spec.status == 1 && !spec.output.contains("sound"), "\(spec)")
            let problems = try await verify(world, "-o", "json").json()
            #expect(problems.at("ok")?.bool == false)
            #expect(problems.at("problems")?.strings.isEmpty == false)
            #expect(try await verify(world, "--in-place").status == 1)

            // What somebody said of it, in one revision.
            try Files.write(sound, to: database)
            #expect(try await verify(world).status == 0)
            try tamper(database, "xyzzy-1", "xyzzy-2")
            let message = try await verify(world)
            #expect(message.status == 1 && message.output.contains("2"), "\(message)")

            // A file of which a part is missing, and one that is none.
            try Files.write(Array(sound.prefix(sound.count / 2)), to: database)
            #expect(try await verify(world).status != 0)
            try Files.write("no database", to: database)
            #expect(try await verify(world).status == 5)
        }
    }
}
