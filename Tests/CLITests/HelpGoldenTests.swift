import ArgumentParser
import Testing

@testable import CLI

/// The help of every verb, so that no change of it goes unnoticed.
@Suite struct HelpGoldenTests {
    /// Every command, those below others and the hidden ones too.
    private static func commands(
        of command: any ParsableCommand.Type = ManagerCommand.self,
        under name: String = ""
    ) -> [(name: String, command: any ParsableCommand.Type)] {
        [(name.isEmpty ? "infrakit-manager" : name, command)]
            + command.configuration.subcommands.flatMap { subcommand in
                commands(of: subcommand, under: (name.isEmpty ? "" : "\(name)-") + (subcommand._commandName))
            }
    }

    private static let names = commands().map(\.name)

    @Test(arguments: names) func helpIsAsItWas(_ name: String) throws {
        let command = try #require(Self.commands().first { $0.name == name }?.command)
        let text =
            command == ManagerCommand.self
            ? ManagerCommand.helpMessage(columns: 80) : ManagerCommand.helpMessage(for: command, columns: 80)
        try Golden.expect(text + "\n", "help.\(name).txt")
    }

    /// The program itself prints the same, but for the width of the terminal.
    @Test(arguments: names.filter { $0 != "infrakit-manager" }) func helpIsWhatTheProgramPrints(_ name: String)
        async throws
    {
        let command = try #require(Self.commands().first { $0.name == name }?.command)
        try await Scene.with { scene in
            for line in [
                "\(name.replacing("plugin-", with: "plugin ")) --help",
                "help \(name.replacing("plugin-", with: "plugin "))",
            ] {
                let finished = await scene.run(line)
                #expect(finished.status == .done && finished.errors.isEmpty, "\(finished)")
                let wanted = ManagerCommand.helpMessage(for: command, columns: 80)
                #expect(
                    finished.output.split(whereSeparator: \.isWhitespace)
                        == wanted.split(whereSeparator: \.isWhitespace)
                )
            }
        }
    }

    /// A person who reads the help of a verb finds how to type it.
    @Test(arguments: names.filter { !["infrakit-manager", "plugin", "version"].contains($0) })
    func everyHelpHasAnExample(_ name: String) throws {
        let command = try #require(Self.commands().first { $0.name == name }?.command)
        let help = ManagerCommand.helpMessage(for: command, columns: 80)
        #expect(help.contains("Example"), "\(help)")
        #expect(help.contains("infrakit-manager \(name.replacing("-process", with: " process"))"), "\(help)")
    }
}
