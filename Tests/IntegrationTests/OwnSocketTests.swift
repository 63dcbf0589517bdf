import Glibc
import Testing

/// A manager whose plugin is its own socket would call itself for ever.
@Suite struct OwnSocketTests {
    @Test(arguments: [
        "the same name", "a name with a type", "a link", "a link to a link", "a file", "another spelling",
    ])
    func isNoPlugin(_ way: String) async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            var plugin = "other"
            let path = "\(n1.directory)/other"
            switch way {
            case "the same name": plugin = "group"
            case "a name with a type": plugin = "group/type"
            case "a link": #expect(symlink("group", path) == 0)
            case "a link to a link":
                #expect(symlink("\(n1.directory)/third", path) == 0)
                #expect(symlink("../n1/group", "\(n1.directory)/third") == 0)
            case "a file": try Files.write("unix://\(n1.directory)/group\n", to: "\(path).listen")
            default: try Files.write("unix://\(n1.directory)/.././n1//group", to: "\(path).listen")
            }
            let program = try n1.launchManager(Host.patient + ["--proxy-for-group", plugin])
            try await program.expectEnd(.exit(2))
            #expect(program.errors.contains("is this manager's own socket"), "\(program.errors)")
        }
    }

    /// What is called comes before a long path does, which nobody could call.
    @Test func aPathThatNobodyCanCallIsRefused() async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            let plugin = String(repeating: "p", count: 104 - n1.directory.utf8.count - 1)
            let program = try n1.launchManager(Host.patient + ["--proxy-for-group", plugin])
            try await program.expectEnd(.exit(2))
            #expect(program.errors.contains("has 104 bytes; at most 103 are accepted"), "\(program.errors)")
        }
    }

    /// The end of a terminal ends the program in order, and the lease is free.
    @Test func aHangupIsNoKill() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            try n1.manager.send(SIGHUP)
            try await n1.manager.expectEnd(.exit(0))
            #expect(try await world.lease()?.isHeld == false)
        }
    }

    /// The link is put there when the manager runs already.
    @Test func isNoPluginLater() async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            try await n1.startManager(Host.patient + ["--proxy-for-group", "other"])
            try await world.leader()
            #expect(symlink("group", "\(n1.directory)/other") == 0)
            let finished = try await n1.infrakit("group", "describe", "cattle")
            #expect(finished.status != 0)
            #expect(finished.errors.contains("is this manager itself"), "\(finished)")
        }
    }
}
