import Glibc
import Testing

/// What becomes of a result that its reader does not take: of the programs themselves.
@Suite struct OutputTests {
    private func shell(_ line: String, _ world: World) async throws -> (ending: RunningProgram.Ending, errors: String) {
        let programs = String(try BuiltProgram.manager.path().dropLast("/infrakit-manager".count))
        let running = try RunningProgram(
            ["/bin/bash", "-c", line],
            environment: [
                "PATH": "\(programs):/usr/bin:/bin", "HOME": world.path, "INFRAKIT_STORE_DIR": world.storeDirectory,
                "INFRAKIT_PLUGINS_DIR": world.path,
            ],
            files: "\(world.path)/shell-\(abs(line.hashValue))"
        )
        return (try await running.end(), running.errors)
    }

    @Test(arguments: ["export", "history -o json", "show", "status", "--help", "--generate-completion-script bash"])
    func aFullDiskIsAnError(_ verb: String) async throws {
        try await World.with { world in
            try await MadeDatabase.make(in: world.storeDirectory)
            let (ending, errors) = try await shell("infrakit-manager \(verb) >/dev/full", world)
            #expect(ending == .exit(1))
            #expect(errors == "infrakit-manager: the output could not be written: No space left on device\n")
        }
    }

    @Test func theOtherProgramFailsAsWell() async throws {
        try await World.with { world in
            let (ending, errors) = try await shell("infrakit plugin ls >/dev/full", world)
            #expect(ending == .exit(1))
            #expect(errors.contains("the output could not be written: No space left on device"))
        }
    }

    /// As any tool in a pipe: ended by SIGPIPE, without a word; also when nothing more comes to be written.
    @Test(arguments: ["history -o jsonl", "history --follow", "history --follow -o jsonl"])
    func aReaderThatHasSeenEnoughEndsIt(_ verb: String) async throws {
        try await World.with { world in
            try await MadeDatabase.make(in: world.storeDirectory, groups: (1...500).map { "a-group-with-a-name-\($0)" })
            let line = "infrakit-manager \(verb) | head -1 >/dev/null; exit ${PIPESTATUS[0]}"
            let (ending, errors) = try await shell(line, world)
            #expect(ending == .exit(141), "\(errors)")
            #expect(errors.isEmpty)
        }
    }
}
