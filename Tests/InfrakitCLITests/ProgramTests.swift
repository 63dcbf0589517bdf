import Foundation
import GroupSPI
import PluginFakes
import Testing

@testable import InfrakitCLI

@Suite("The program")
struct ProgramTests {
    @Test("finds plugins by name, with the flag before or after the verb")
    func names() async throws {
        try await withScratchDirectory { directory in
            let terminal = Keyboard(directory: directory)
            let fake = try FakePlugin(.head, at: terminal.socket("other"))
            defer { fake.stop() }
            let lines = [
                "group --name other ls", "group ls --name other", "--name other group ls", "group --name=other ls",
                "--log 2 group ls --name other --log=5 -q", "group ls --name other/type",
            ]
            for line in lines {
                let outcome = await terminal.infrakit(line)
                #expect(outcome.status == 0, "\(line): \(outcome.errors)")
            }
            #expect(fake.requests.count == lines.count)
            #expect(fake.requests.last?.params.text == #"{"Name":"other/type","ID":""}"#)
            await terminal.expect("group ls", fails: "Plugin not found: group")
            await terminal.expect("group --name zzz ls", fails: "Plugin not found: zzz")
        }
    }

    @Test("tells a dead socket from none")
    func deadSocket() async throws {
        try await withTerminal(.seed) { terminal, fake in
            let path = terminal.socket("group")
            let hidden = path + ".hidden"
            try FileManager.default.moveItem(atPath: path, toPath: hidden)
            fake.stop()
            try FileManager.default.moveItem(atPath: hidden, toPath: path)
            await terminal.expect("group ls", fails: "plugin 'group' is not running: nobody listens at \(path)")
        }
    }

    @Test("lists plugins")
    func pluginList() async throws {
        try await withTerminal(.seed) { terminal, _ in
            let second = try FakePlugin(.head, at: terminal.socket("flavor-with-a-very-long-name"))
            defer { second.stop() }
            try "tcp://10.0.0.1:24864\n".write(
                toFile: terminal.socket("vars.listen"),
                atomically: true,
                encoding: .utf8
            )
            try "5".write(toFile: terminal.socket("group.pid"), atomically: true, encoding: .utf8)
            let header = "NAME                \tLISTEN\n"
            let rows = """
                flavor-with-a-very-long-name\t\(terminal.socket("flavor-with-a-very-long-name"))
                group               \t\(terminal.socket("group"))
                vars                \ttcp://10.0.0.1:24864

                """
            await terminal.expect("plugin ls", prints: header + rows)
            await terminal.expect("plugin ls -q", prints: rows)
        }
    }

    @Test("shows the group's help for a verb that it does not know")
    func unknownSubcommand() async throws {
        let terminal = Keyboard(directory: "/nonexistent")
        let help = await terminal.infrakit("group --help")
        #expect(help.output.contains("SUBCOMMANDS:"))
        #expect(help.output.contains("describe-update"))
        #expect(help.status == 0 && help.errors.isEmpty)
        for line in ["group"] {
            let outcome = await terminal.infrakit(line)
            #expect(outcome == help, "\(line)")
        }
        for line in ["group frob", "group --name x frob", "group frob --log 3"] {
            let outcome = await terminal.infrakit(line)
            #expect(outcome.status == 1 && outcome.output.isEmpty, "\(line)")
            #expect(outcome.errors == "Error: unknown command 'frob' for 'infrakit group'\n" + help.output, "\(line)")
        }
        let verb = await terminal.infrakit("group watch --help")
        #expect(verb.output.contains("USAGE: infrakit group watch <group-configuration>"))
    }

    @Test(
        "complains about wrong usage on standard error",
        arguments: ["group watch", "group ls --zzz", "frob", "group ls --log x"]
    )
    func wrongUsage(line: String) async throws {
        let outcome = await Keyboard(directory: "/nonexistent").infrakit(line)
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("Usage: infrakit"))
    }

    @Test("says which version it is")
    func version() async throws {
        let outcome = await Keyboard(directory: "/nonexistent").infrakit("version")
        #expect(outcome.output.wholeMatch(of: /infrakit [0-9]+\.[0-9]+\.[0-9]+ \(commit .+\)\n/) != nil)
    }
}
