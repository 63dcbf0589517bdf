internal import ArgumentParser

/// The words of a command line, put into the order in which they are parsed.
///
/// `--name` and `--log` are accepted before and after the subcommand, as by the original; here they move behind it.
enum CommandLineWords {
    private static let movable = ["--name", "--log"]

    static func inOrder(_ words: [String]) -> [String] {
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
        if let help = helpForUnknownVerb(kept) { return help }
        return kept + moved + words[index...]
    }

    /// `infrakit group frob` shows the help of `group`, as the original does.
    private static func helpForUnknownVerb(_ words: [String]) -> [String]? {
        guard !words.contains("-h"), !words.contains("--help") else { return nil }
        let names = words.filter { !$0.hasPrefix("-") }
        guard names.count > 1 else { return nil }
        for command in InfrakitCommand.configuration.subcommands where name(of: command) == names[0] {
            let verbs = command.configuration.subcommands
            let isKnown = verbs.isEmpty || verbs.contains { name(of: $0) == names[1] }
            return isKnown ? nil : [names[0], "--help"]
        }
        return nil
    }

    private static func name(of command: any ParsableCommand.Type) -> String? {
        command.configuration.commandName
    }
}
