import ArgumentParser
import Testing

@testable import CLI

@Suite struct ArgumentPreprocessorTests {
    @Test(arguments: [
        ("--log 5 os", "os --log 5"), ("--log=5 os --id x", "os --log=5 --id x"), ("os --log 5", "os --log 5"),
        ("--name a --proxy-for-group b os", "os --name a --proxy-for-group b"),
        ("--log 5 plugin process --name p", "plugin process --log 5 --name p"), ("", ""), ("-h", "-h"),
        ("--frob os", "--frob os"), ("--log", "--log"), ("history -n 5", "history -n 5"),
    ])
    func globalFlagsMayComeFirst(_ given: String, _ expected: String) throws {
        let words = try ArgumentPreprocessor([:]).inOrder(given.split(separator: " ").map(String.init))
        #expect(words == expected.split(separator: " ").map(String.init))
    }

    @Test func theEnvironmentSetsWhatTheCommandLineDoesNot() throws {
        let words = ArgumentPreprocessor(["INFRAKIT_LEASE_TTL": "3s", "INFRAKIT_LOG": "5", "INFRAKIT_ID": ""])
        #expect(try words.inOrder(["os"]) == ["os", "--log=5", "--lease-ttl=3s"])
        #expect(try words.inOrder(["os", "--lease-ttl", "4s"]) == ["os", "--log=5", "--lease-ttl", "4s"])
        #expect(try words.inOrder(["--log=1", "os"]) == ["os", "--log=1", "--lease-ttl=3s"])
        #expect(try words.inOrder(["version"]) == ["version"])
    }

    @Test func switchesAreOnOrOff() throws {
        #expect(
            try ArgumentPreprocessor(["INFRAKIT_UNSAFE_STORAGE": "true"]).inOrder(["os"]) == ["os", "--unsafe-storage"]
        )
        #expect(try ArgumentPreprocessor(["INFRAKIT_UNSAFE_STORAGE": "0"]).inOrder(["os"]) == ["os"])
    }

    /// Every flag that the environment may set is one that the verb has, and its help names the variable.
    @Test(arguments: ArgumentPreprocessor.flags.keys.sorted())
    func everyVariableIsInTheHelp(_ verb: String) throws {
        let words = verb == "plugin" ? ["plugin", "process"] : [verb]
        let command = try #require(try ManagerCommand.parseAsRoot(words + placeholder(verb)) as? any Subcommand)
        let help = type(of: command).helpMessage(columns: 400)
        for flag in ArgumentPreprocessor.flags[verb] ?? [] {
            #expect(help.contains(flag), "\(flag) of \(verb)")
            #expect(
                help.contains(ArgumentPreprocessor.variable(flag)),
                "\(ArgumentPreprocessor.variable(flag)) of \(verb)"
            )
        }
    }

    /// A variable that the help promises is read: of the verbs, also those that are still to come.
    @Test func everyVariableInTheHelpIsRead() {
        var read = 0
        for command in ManagerCommand.configuration.subcommands.flatMap({ [$0] + $0.configuration.subcommands }) {
            let help = command.helpMessage(columns: 400)
            let verb = command == ProcessPluginCommand.self ? "plugin" : command._commandName
            let known = Set((ArgumentPreprocessor.flags[verb] ?? []).map { ArgumentPreprocessor.variable($0) })
            for line in help.split(separator: "\n") where line.hasPrefix("  -") {
                for match in line.matches(of: /INFRAKIT_[A-Z_]+/) where match.output != "INFRAKIT_CONFIG" {
                    #expect(known.contains(String(match.output)), "\(match.output) of \(verb)")
                    read += 1
                }
            }
        }
        #expect(read > 60)
    }

    private func placeholder(_ verb: String) -> [String] {
        ["rollback", "diff", "commit", "backup", "import", "untag", "ack"].contains(verb) ? ["1"] : []
    }
}

@Suite struct GoDurationTests {
    @Test(arguments: [
        ("5s", 5000), ("1m30s", 90_000), ("1500ms", 1500), ("2h", 7_200_000), ("1.5s", 1500), ("500us", 0),
        ("1h1m1s", 3_661_000),
    ])
    func readsWhatGoWrites(_ text: String, _ milliseconds: Int) {
        #expect(GoDuration(argument: text)?.duration.components.seconds == Int64(milliseconds / 1000))
        #expect(GoDuration(argument: text) != nil)
    }

    @Test(arguments: ["", "5", "s", "-5s", "0s", "5 s", "5x", "5s5", "1e3s", "٣s", "99999999999h"])
    func refusesTheRest(_ text: String) {
        #expect(GoDuration(argument: text) == nil)
    }

    @Test(arguments: [
        ("5s", "5s"), ("90s", "1m30s"), ("1500ms", "1.5s"), ("250ms", "250ms"), ("3600s", "1h"), ("2h0m5s", "2h5s"),
    ])
    func writesTheShortestSpelling(_ text: String, _ expected: String) {
        #expect(GoDuration(argument: text)?.description == expected)
    }
}
