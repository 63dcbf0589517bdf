internal import ArgumentParser

/// `infrakit plugin`
struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Manage plugins",
        subcommands: [PluginLsCommand.self]
    )

    @OptionGroup var options: LogOptions
}
