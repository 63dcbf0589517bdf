internal import ArgumentParser

/// The words of a command line, put into the order in which they are parsed.
///
/// `--name` and `--log` are accepted before and after the subcommand, as by the original; here they move behind it.
enum ArgumentPreprocessor {
    private static let movable = ["--name", "--log"]

    /// A verb that a command does not have.
    struct UnknownSubcommand: Error {
        let command: any ParsableCommand.Type
        let word: String
    }

    static func inOrder(_ words: [String]) throws -> [String] {
        var kept: [String] = []
        var moved: [String] = []
        var index = 0
        while index < words.count, words[index] != "--" {
            let word = words[index]
            if movable.contains(word), index + 1 < words.count {
                moved += [word, words[index + 1]]
                index += 2
                continue
            }
            if movable.contains(where: { word.hasPrefix($0 + "=") }) { moved.append(word) } else { kept.append(word) }
            index += 1
        }
        try requireSubcommand(kept)
        return kept + moved + words[index...]
    }

    /// `infrakit group frob` shows the help of `group`, as the original does; but a script has to see that nothing was done.
    private static func requireSubcommand(_ words: [String]) throws {
        guard !words.contains("-h"), !words.contains("--help") else { return }
        let names = words.filter { !$0.hasPrefix("-") }
        guard names.count > 1 else { return }
        for command in InfrakitCommand.configuration.subcommands where name(of: command) == names[0] {
            let verbs = command.configuration.subcommands
            guard verbs.isEmpty || verbs.contains(where: { name(of: $0) == names[1] }) else {
                throw UnknownSubcommand(command: command, word: names[1])
            }
        }
    }

    private static func name(of command: any ParsableCommand.Type) -> String? {
        command.configuration.commandName
    }
}
