import GroupSPI
import Store
import Testing

/// Rejected revisions: of which `status` and `doctor` warn, and until when.
@Suite struct AcknowledgementTests {
    private func warned(_ world: World) async throws -> [Int] {
        let status = try await world.manager("status", "-o", "json").json()
        let numbers = status.at("revision", "rejected")?.elements.compactMap(\.int) ?? []
        let doctor = try await world.manager("doctor", "-o", "json").output
        #expect(doctor.contains(#""rejected""#) == !numbers.isEmpty, "\(doctor)")
        return numbers
    }

    private func file(_ world: World, _ specs: GroupSpec...) throws -> String {
        let path = "\(world.path)/groups.json"
        try Files.write("[\(specs.map(\.json.raw.text).joined(separator: ","))]", to: path)
        return path
    }

    @Test func somebodyAcknowledgesARejectedRevision() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            n1.plugin.refuse("a", saying: "no such image")
            let refused = try await world.manager("commit", try file(world, .sized("a", 9)))
            #expect(refused.status == 6, "\(refused)")
            #expect(try await warned(world) == [2])
            let finished = try await world.manager("ack", "2", "-m", "withdrawn")
            #expect(finished.status == 0 && finished.output == "revision 2 acknowledged\n", "\(finished)")
            #expect(try await warned(world) == [])
            let json = try await world.manager("history", "-o", "json").json().elements
            #expect(json.first?.at("acknowledged", "message")?.string == "withdrawn")
            #expect(json.first?.at("acknowledged", "author", "user") != nil)
            #expect(json.last?.at("acknowledged") == nil)
            let table = try await world.manager("history").output
            #expect(table.contains("(acknowledged by ") && table.contains(": withdrawn)"), "\(table)")
            for (revision, words) in [("1", "is applied, not rejected"), ("2", "is acknowledged already, by ")] {
                let again = try await world.manager("ack", revision)
                #expect(again.status == 1 && again.errors.contains(words), "\(again)")
            }
        }
    }

    /// Also one that is committed with others, and by whoever asks the leader from elsewhere.
    @Test func whoeverCommitsWhatStandsHasDecided() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            try await n1.commit("b", 1)
            n1.plugin.refuse("a", saying: "no such image")
            #expect(try await world.manager("commit", try file(world, .sized("a", 9))).status == 6)
            #expect(try await warned(world) == [3])
            n1.plugin.accept("a")
            let both = try file(world, .sized("a", 1), .sized("b", 1))
            let plan = try await world.manager("commit", both, "--dry-run")
            #expect(plan.output.contains("would set a\n") && !plan.output.contains("would set b"), "\(plan)")
            let finished = try await world.manager("commit", both)
            #expect(finished.status == 0 && finished.output.contains("  set a: applied\n"), "\(finished)")
            #expect(finished.output.contains("  b: unchanged\n"), "\(finished)")
            #expect(try await warned(world) == [])
            let nothing = try await world.manager("commit", both)
            #expect(nothing.output.contains("nothing changed"), "\(nothing)")
        }
    }

    @Test func whatThePluginRefusedAsAWholeWaitsForNoConfirmation() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            n1.plugin.refuse("a", saying: "no such image")
            let refused = try await world.manager("commit", try file(world, .sized("a", 9)), "--confirm", "10m")
            #expect(refused.status == 6 && !refused.output.contains("unless"), "\(refused)")
            let status = try await world.manager("status")
            #expect(!status.output.contains("Confirm:"), "\(status)")
            let confirm = try await world.manager("confirm")
            #expect(confirm.status == 1 && confirm.errors.contains("no revision is waiting"), "\(confirm)")
        }
    }
}
