import GroupSPI
import Store
import Testing

/// `export` and `import`.
@Suite struct ExportTests {
    /// Bytes that a program which reads and writes JSON would change.
    private static let specs = [
        #"{"ID":"a","Properties":{ "Allocation" : {"Size": 2},  "Weight":1.0, "Chip":12345678901234567890123 }}"#,
        #"{"ID":"ä/b","Properties":{"Text":"é\/é 😀","Allocation":{"Size":1e0}}}"#,
        #"{"ID":"z","Properties":{"z":1,"a":[ ],"Allocation":{"Size":3}}}"#,
    ]

    @Test func roundTripKeepsEveryByte() async throws {
        try await World.with(isOne: false) { world in
            let n1 = try await world.leadingHost()
            for spec in Self.specs {
                let finished = try await world.manager("commit", "-", input: spec)
                try #require(finished.status == 0, "\(finished)")
            }
            let exported = try await world.manager("export")
            #expect(exported.status == 0 && exported.output.hasPrefix(#"{"Groups":{"#), "\(exported)")
            for spec in Self.specs { #expect(exported.output.contains(spec), "\(exported)") }
            let file = "\(world.path)/global.config"
            try Files.write(exported.output, to: file)

            // Another database, of other replicas.
            let other = "\(world.path)/other"
            try Files.makeDirectory(other)
            let n2 = try await world.host("n2")
            try await n2.startManager(Host.patient + ["--store-dir", other])
            try await eventually("n2 leads there") { n2.hasLoaded(epoch: 1) }
            let imported = try await world.manager("import", file, "--store-dir", other)
            #expect(
                imported.status == 0 && imported.output.hasPrefix("revision 1: committed, applied\n"),
                "\(imported)"
            )
            #expect(try await world.manager("export", "--store-dir", other).output == exported.output)
            for spec in Self.specs {
                let id = try #require(try JSONView(Array(spec.utf8)).at("ID")?.identifier)
                #expect(try await world.manager("show", "--group", id.text, "--store-dir", other).output == spec + "\n")
                #expect(n2.plugin.spec(of: id) == n1.plugin.spec(of: id) && n2.plugin.spec(of: id) != nil)
            }
            let history = try await world.manager("history", "-o", "json", "--store-dir", other).json().elements
            #expect(history.count == 1 && history[0].at("operation")?.string == "import")
            #expect(history[0].at("message")?.string == "imported from \(file)")
            #expect(history[0].at("groups")?.strings == ["a", "z", "ä/b"])

            let again = try await world.manager("import", file, "--store-dir", other)
            #expect(again.status == 0 && again.output.contains("nothing changed"), "\(again)")
            // An earlier revision, out and in: what it does not name stays.
            let first = try await world.manager("export", "--revision", "1")
            #expect(first.output.contains(Self.specs[0]) && !first.output.contains(Self.specs[2]), "\(first)")
            try await n2.commit("a", 9)
            #expect(n2.plugin.size(of: "a") == 9)
            let back = try await world.manager(
                "import",
                "-",
                "--message",
                "as it was",
                "--store-dir",
                other,
                input: first.output
            )
            #expect(back.status == 0, "\(back)")
            #expect(n2.plugin.watched == ["a", "ä/b", "z"] && n2.plugin.size(of: "a") == 2)
        }
    }

    @Test func theLaterShapeOfTheGoManagerIsImportedToo() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let finished = try await world.manager("import", "-", "-o", "json", input: ImportTests.shapes[1])
            #expect(finished.status == 0, "\(finished)")
            #expect(try finished.json().at("groups")?.strings == ["cattle", "pets"])
            #expect(n1.plugin.watched == ["cattle", "pets"])
            #expect(try await world.history().first?.message == "imported from standard input")
        }
    }

    @Test(arguments: ["", #"{"Groups":{}}"#, #"{"Groups":{"a":{"#, #""words""#])
    func whatHoldsNoGroupsIsRefused(_ text: String) async throws {
        try await World.with { world in
            let finished = try await world.manager("import", "-", input: text)
            #expect(finished.status == 1 && finished.output.isEmpty && !finished.errors.isEmpty, "\(finished)")
        }
    }
}
