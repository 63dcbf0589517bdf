internal import ArgumentParser

/// `infrakit group`
struct GroupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Access group plugin",
        discussion: """
            watch, update, describe-update, stop-update and unwatch come from the first InfraKit versions, commit and \
            free from later ones. All of them work with managers and plugins of any version.
            """,
        subcommands: [
            CommitCommand.self, DescribeCommand.self, DescribeUpdateCommand.self, DestroyCommand.self, FreeCommand.self,
            InspectCommand.self, LsCommand.self, StopUpdateCommand.self, UnwatchCommand.self, UpdateCommand.self,
            WatchCommand.self,
        ]
    )

    @OptionGroup var options: PluginOptions
}
