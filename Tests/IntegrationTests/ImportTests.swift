import GroupSPI
import Store
import Testing

/// `global.config`, which the Go manager has left in the store directory.
@Suite struct ImportTests {
    private static let cattle = #"{"Allocation": {"Size": 3}, "Weight":1.0,"Chip":12345678901234567890123}"#

    static let shapes = [
        #"{"Groups":{"cattle":{"Plugin":"group-stateless","Properties":{"ID":"cattle","Properties":\#(cattle)}},"#
            + #""pets":{"Plugin":"group-stateless","Properties":{"ID":"pets","Properties":{"Allocation":{"Size":1}}}}}}"#,
        #"[{"Key":{"Kind":"group","Name":"cattle"},"Record":{"Handler":"group-stateless","Spec":{"kind":"group","#
            + #""version":"","metadata":{"name":"cattle","tags":null},"properties":\#(cattle)}}},"#
            + #"{"Key":{"Kind":"group","Name":"pets"},"Record":{"Handler":"group-stateless","Spec":{"kind":"group","#
            + #""metadata":{"name":"pets"},"properties":{"Allocation":{"Size":1}}}}}]"#,
    ]

    @Test(arguments: shapes)
    func isTakenOverAsRevisionOne(_ text: String) async throws {
        try await World.with { world in
            let file = "\(world.storeDirectory)/global.config"
            try Files.write(text, to: file)
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            try await eventually("all are watched") { n1.plugin.watched == ["cattle", "pets"] }
            try await eventually("the import is applied") {
                try await world.history().map(\.status.name) == ["applied"]
            }
            let revision = try #require(try await world.history().first)
            #expect(revision.number == 1 && revision.operation.name == "import")
            #expect(revision.groups == ["cattle", "pets"])
            let shown = try await world.manager("show", "1", "--group", "cattle")
            #expect(shown.output == #"{"ID":"cattle","Properties":\#(Self.cattle)}"# + "\n")
            #expect(n1.plugin.spec(of: "cattle")?.properties.text == Self.cattle)
            #expect(Files.read(file) == text, "the file was changed")

            // Once: what has been freed since does not come back with the next start.
            #expect(try await n1.infrakit("group", "free", "pets").status == 0)
            try n1.manager.send(15)
            try await n1.manager.end()
            try await n1.startManager()
            try await world.leader(is: n1, after: 1)
            try await eventually("what stands is watched") { n1.plugin.watched == ["cattle"] }
            #expect(try await world.history().count == 2)
            #expect(Files.read(file) == text)
        }
    }

    @Test(arguments: [#"{"Groups":{"a":{"#, #""groups""#, #"{"Groups":{"a":{"Plugin":"group-stateless"}}}"#])
    func aMalformedOneIsToldAtTheStart(_ text: String) async throws {
        try await World.with { world in
            let file = "\(world.storeDirectory)/global.config"
            try Files.write(text, to: file)
            let n1 = try await world.host("n1")
            let finished = try await n1.command("os", "--id", "n1")
            #expect(finished.status == 1, "\(finished)")
            #expect(finished.errors.contains("Go manager"), "\(finished)")
            #expect(Files.read(file) == text)
            #expect(!Files.exists("\(n1.directory)/group"))
            #expect((try? await world.history())?.isEmpty != false, "something was imported")
            #expect(world.journal.all.isEmpty)

            // Repaired, it is taken over.
            try Files.write(Self.shapes[0], to: file)
            try await n1.startManager()
            try await world.leader()
            try await eventually("all are watched") { n1.plugin.watched == ["cattle", "pets"] }
        }
    }

    @Test(arguments: ["", "{}", #"{"Groups":{}}"#, "[]", "\n"])
    func anEmptyOneHoldsNothing(_ text: String) async throws {
        try await World.with { world in
            try Files.write(text, to: "\(world.storeDirectory)/global.config")
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            #expect(try await world.history().isEmpty)
            try await n1.commit("a", 1)
            #expect(try await world.history().map(\.number) == [1])
        }
    }
}
