internal import ArgumentParser

/// `infrakit-manager plugin`: plugins that come with this program.
struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Run a built-in plugin",
        subcommands: [ProcessPluginCommand.self]
    )
}
