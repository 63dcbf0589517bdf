internal import ArgumentParser

/// `infrakit`, the root of all commands.
struct InfrakitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infrakit",
        abstract: "infrakit command line interface",
        discussion: "Plugins are found in the directory INFRAKIT_PLUGINS_DIR (default ~/.infrakit/plugins).",
        subcommands: [GroupCommand.self, PluginCommand.self, VersionCommand.self]
    )

    @OptionGroup var options: LogOptions
}
