import Foundation
import Glibc
import GroupSPI
import Store
import Testing

/// A database that is damaged, and the way back: word for word what docs/operations.md says.
@Suite struct RestoreTests {
    /// The commands of the section "Backup and restore" for the file of a backup.
    private func steps(_ backup: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try #require(Files.read(root.appendingPathComponent("docs/operations.md").path))
        let section = try #require(text.components(separatedBy: "To restore a backup:").last)
        let block = try #require(section.components(separatedBy: "```shell").dropFirst().first)
        let commands = try #require(block.components(separatedBy: "```").first)
        #expect(commands.contains("/backup/manager-2026-11-22.db"))
        return commands.replacing("/backup/manager-2026-11-22.db", with: backup)
    }

    /// Changes one byte in every page that holds the words.
    private func damage(_ path: String, _ words: String) throws {
        var bytes = try #require(Files.bytes(path))
        let word = Array(words.utf8)
        let places = bytes.indices.filter {
            $0 + word.count <= bytes.count && Array(bytes[$0..<$0 + word.count]) == word
        }
        try #require(!places.isEmpty)
        for place in places { bytes[place] ^= 1 }
        try Files.write(bytes, to: path)
    }

    @Test func aDamagedDatabaseIsRestored() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let database = "\(world.storeDirectory)/manager.db"
            let backup = "\(world.path)/backup.db"
            for size in 1...4 { try await n1.commit("a", size) }
            #expect(try await world.manager("backup", backup).status == 0)
            try await n1.commit("b", 770_077)
            let after = GroupSpec.sized("c", 6).json.raw.text
            #expect(try await world.manager("commit", "-", "--message", "xyzzy-6", input: after).status == 0)
            let full = try await world.history()

            // It is damaged, and that is noticed.
            try n1.manager.send(SIGTERM)
            try await n1.manager.end()
            try damage(database, "xyzzy-6")
            let found = try await world.manager("verify")
            #expect(found.status == 1 && found.output.contains("revision 6 does not match its hash"), "\(found)")
            #expect(found.output.contains("Revisions up to 5 are unchanged; revision 6 is the first"), "\(found)")
            let json = try await world.manager("verify", "-o", "json").json()
            #expect(json.at("trusted")?.int == 5 && json.at("damaged")?.elements.compactMap(\.int) == [6])

            // What it says can be saved is saved.
            let refused = try await world.manager("export", "--revision", "5")
            #expect(refused.status == 5 && refused.errors.contains("does not match its checksum"), "\(refused)")
            let saved = try await world.manager("export", "--damaged", "--revision", "5")
            #expect(saved.status == 0 && saved.output.contains("770077"), "\(saved)")
            try Files.write(saved.output, to: "\(world.path)/saved.json")

            // The steps. A journal lies about that belongs to the damaged file.
            try Files.write("a journal of the damaged file", to: database + "-journal")
            let script = "set -e\nexport PATH=\"$(dirname \"$PROGRAM\"):$PATH\"\n" + (try steps(backup))
            let program = try RunningProgram(
                ["/bin/sh", "-c", script],
                environment: [
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": world.path,
                    "PROGRAM": BuiltProgram.manager.path(), "INFRAKIT_STORE_DIR": world.storeDirectory,
                ],
                files: "\(world.path)/restore"
            )
            try await program.expectEnd(.exit(0))
            #expect(program.output == "sound: 4 revisions\n", "\(program.output) \(program.errors)")
            #expect(
                Files.names(in: "\(world.storeDirectory)/damaged").sorted() == ["manager.db", "manager.db-journal"]
            )

            // It goes on from the backup, and what was saved comes back.
            try await n1.startManager(Host.patient)
            try await eventually("n1 leads again") { n1.hasLoaded(epoch: 2) }
            #expect(try await world.history().map(\.hash) == full.prefix(4).map(\.hash))
            try await eventually("n1 watches what stood then") { n1.plugin.watched == ["a"] }
            let imported = try await world.manager("import", "\(world.path)/saved.json")
            #expect(imported.status == 0, "\(imported)")
            #expect(n1.plugin.size(of: "b") == 770_077)
            #expect(try await world.manager("verify").status == 0)
        }
    }
}
