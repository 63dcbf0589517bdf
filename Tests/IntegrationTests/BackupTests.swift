import GroupSPI
import Store
import Testing

/// `backup`, and what can be done with it.
@Suite struct BackupTests {
    @Test func aCopyThatIsMadeWhileALeaderWritesCanBeRestored() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let backup = "\(world.path)/backup.db"
            let writer = SteadyWriter(n1, groups: 7)
            var made: Finished?
            try await writer.write {
                try await eventually("something is written") { writer.written >= 20 }
                made = try await world.manager("backup", backup, "-o", "json")
            }
            let finished = try #require(made)
            #expect(finished.status == 0, "\(finished)")
            let newest = try #require(try finished.json().at("revision")?.int)
            #expect(newest >= 20)

            let verified = try await world.manager("verify", "--file", backup, "-o", "json")
            #expect(try verified.status == 0 && verified.json().at("ok")?.bool == true, "\(verified)")
            #expect(try verified.json().at("revisions")?.int == newest)
            #expect(try verified.json().at("problems")?.elements.isEmpty == true)
            #expect(Files.names(in: world.path).filter { $0.hasPrefix("backup") } == ["backup.db"])

            // Restored: another directory, another manager.
            let full = try await world.history()
            try await n1.manager.crash()
            try await eventually("n1's guard has ended") { n1.guards.isEmpty }
            let restored = "\(world.path)/restored"
            try Files.makeDirectory(restored)
            try Files.write(try #require(Files.bytes(backup)), to: "\(restored)/manager.db")
            let n2 = try await world.host("n2")
            try await n2.startManager(Host.patient + ["--store-dir", restored])
            try await eventually("n2 leads there") { n2.hasLoaded(epoch: 2) }
            let copy = Store.openForCommand(StoreConfiguration(path: StoreConfiguration.path(in: restored)))
            let history = try await copy.history(HistoryQuery(), within: .seconds(20)).revisions
            #expect(history.count == newest)
            #expect(history.map(\.hash) == full.prefix(newest).reversed().map(\.hash))
            #expect(history.map(\.sizes) == full.prefix(newest).reversed().map(\.sizes))
            let standing = Dictionary(
                full.prefix(newest).map { ($0.groups[0], $0.sizes[0]) },
                uniquingKeysWith: { _, last in last }
            )
            try await eventually("n2 watches what stood then") { n2.plugin.watched == Set(standing.keys) }
            for (group, size) in standing { #expect(n2.plugin.size(of: group) == size) }
            try await n2.commit("g0", 9999)
            #expect(try await copy.summary(within: .seconds(20)).newest == newest + 1)
            #expect(try await world.manager("verify", "--store-dir", restored).status == 0)
        }
    }

    @Test func neverTakesThePlaceOfAnotherFile() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            let backup = "\(world.path)/backup.db"
            let made = try await world.manager("backup", backup)
            #expect(made.status == 0 && made.output == "wrote \(backup), up to revision 1\n", "\(made)")
            let bytes = Files.bytes(backup)
            try await n1.commit("a", 2)
            let again = try await world.manager("backup", backup)
            #expect(again.status == 1 && again.errors.contains(backup), "\(again)")
            #expect(Files.bytes(backup) == bytes, "the file was changed")
            try Files.write("mine", to: "\(world.path)/notes")
            #expect(try await world.manager("backup", "\(world.path)/notes").status == 1)
            #expect(Files.read("\(world.path)/notes") == "mine")
            #expect(try await world.manager("backup", world.path).status != 0)
            let nowhere = try await world.manager("backup", "\(world.path)/none/backup.db")
            #expect(nowhere.status != 0 && nowhere.errors.contains("\(world.path)/none/backup.db"), "\(nowhere)")
            let nothing = try await world.manager("backup", "\(world.path)/b2", "--store-dir", "\(world.path)/none")
            #expect(nothing.status == 5 && !Files.exists("\(world.path)/b2"), "\(nothing)")
        }
    }

    @Test func ofSeveralAtOnceOneIsMade() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            let backup = "\(world.path)/backup.db"
            // Somebody's own, with an unlucky name.
            try Files.write("mine", to: backup + ".partial")
            let all = try await withThrowingTaskGroup(of: Finished.self) { tasks in
                for _ in 0..<6 { tasks.addTask { try await world.manager("backup", backup) } }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(all.map(\.status).sorted() == [0, 1, 1, 1, 1, 1], "\(all)")
            #expect(all.allSatisfy { $0.status == 0 || $0.errors.contains("exists already") }, "\(all)")
            let verified = try await world.manager("verify", "--file", backup)
            #expect(verified.status == 0, "\(verified)")
            #expect(
                Files.names(in: world.path).filter { $0.hasPrefix("backup") } == ["backup.db", "backup.db.partial"]
            )
            #expect(Files.read(backup + ".partial") == "mine")
        }
    }
}
