import Glibc
import GroupSPI
import Testing

/// What the program itself writes for scripts, compared with the schemas of docs/schema.
@Suite struct SchemaTests {
    private static let script =
        String(#filePath.dropLast("Tests/IntegrationTests/SchemaTests.swift".count))
        + "scripts/check-schema"

    @Test func liveOutputsMeetTheirSchemas() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            try await n1.commit("a", 2)
            n1.plugin.refuse("b", saying: "no b")
            let groups = "\(world.path)/groups.yaml"
            try Files.write(
                #"{"Groups":{"b":{"Plugin":"","Properties":{"ID":"b","Properties":1}},"#
                    + #""c":{"Plugin":"","Properties":{"ID":"c","Properties":{"Allocation":{"Size":1}}}}}}"#,
                to: groups
            )
            let outputs = "\(world.path)/outputs"
            try Files.makeDirectory(outputs)
            func keep(_ name: String, _ status: Int32, _ words: String...) async throws {
                let finished = try await world.run(.manager, words, environment: n1.environment)
                #expect(finished.status == status && finished.errors.isEmpty, "\(finished)")
                try Files.write(finished.output, to: "\(outputs)/\(name)")
            }
            try await keep("commit.dry-run.json", 0, "commit", groups, "--dry-run", "-o", "json")
            try await keep("commit.partial.json", 6, "commit", groups, "--confirm", "1h", "-o", "json")
            try await keep("commit.nothing.json", 6, "commit", groups, "-o", "json")
            try await keep("import.rejected.json", 6, "import", groups, "-o", "json")
            let rejected = try await world.manager("status", "-o", "json").json().at("revision", "rejected")
            let number = try #require(rejected?.elements.first?.int)
            #expect(try await world.manager("ack", "\(number)", "-m", "seen").status == 0)
            try await keep("tag.set.json", 0, "tag", "1", "first", "-o", "json")
            try await keep("tag.list.json", 0, "tag", "-o", "json")
            try await keep("rollback.dry-run.json", 0, "rollback", "first", "--dry-run", "-o", "json")
            try await keep("rollback.one.json", 0, "rollback", "first", "-o", "json")
            try await keep("rollback.again.json", 0, "rollback", "first", "-o", "json")
            await n1.plugin.die()
            try await keep("rollback.pending.json", 7, "rollback", "2", "--wait", "3s", "-o", "json")
            try await keep("history.all.json", 0, "history", "-o", "json")
            try await keep("history.all.jsonl", 0, "history", "-o", "jsonl")
            try await keep("history-path.size.json", 0, "history", "--path", "Allocation.Size", "-o", "json")
            try await keep("show.current.json", 0, "show")
            try await keep("show.group.json", 0, "show", "--group", "a")
            try await keep("export.current.json", 0, "export")
            try await keep("diff.1-2.json", 1, "diff", "1", "2", "-o", "json")
            try await keep("diff.1-1.json", 0, "diff", "1", "1", "-o", "json")
            try await keep("status.leader.json", 0, "status", "-o", "json")
            try await keep("leadership.one.json", 0, "leadership", "-o", "json")
            try await keep("doctor.dead-plugin.json", 1, "doctor", "-o", "json")
            try await keep("verify.sound.json", 0, "verify", "-o", "json")
            try await keep("backup.one.json", 0, "backup", "\(world.path)/copy.db", "-o", "json")

            let python = ["/usr/bin/python3", "/usr/local/bin/python3"] + Self.onPath("python3")
            for interpreter in python where Files.exists(interpreter) {
                let check = try await check(outputs, interpreter, world)
                // That interpreter has no jsonschema; another one may.
                if check.status == 77 { continue }
                #expect(check.status == 0, "\(check)")
                #expect(check.output.contains("23 files compared with 12 schemas"), "\(check)")
                return
            }
            try Test.cancel(
                "SKIPPED: live outputs against docs/schema: no python3 with jsonschema (pip install jsonschema)"
            )
        }
    }

    private static func onPath(_ name: String) -> [String] {
        guard let path = getenv("PATH") else { return [] }
        return String(cString: path).split(separator: ":").map { "\($0)/\(name)" }
    }

    private func check(_ directory: String, _ interpreter: String, _ world: World) async throws -> Finished {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let home = getenv("HOME").map { String(cString: $0) } ?? world.path
        let program = try RunningProgram(
            [interpreter, Self.script, directory],
            environment: ["PATH": path, "HOME": home, "PYTHONDONTWRITEBYTECODE": "1"],
            files: "\(world.path)/check-schema"
        )
        let ending = try await program.end()
        defer { for kind in ["out", "err"] { Files.remove("\(world.path)/check-schema.\(kind)") } }
        guard case .exit(let status) = ending else { throw Trouble("\(ending)") }
        return Finished(
            words: ["check-schema", directory],
            status: status,
            output: program.output,
            errors: program.errors
        )
    }
}
