internal import ArgumentParser

/// `infrakit group`
struct GroupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Access group plugin",
        discussion: """
            The commands watch, update, describe-update, stop-update and unwatch are the first generation's, commit and \
            free the later ones'; each works with managers and plugins of any generation.
            """,
        subcommands: [
            CommitCommand.self, DescribeCommand.self, DescribeUpdateCommand.self, DestroyCommand.self, FreeCommand.self,
            InspectCommand.self, LsCommand.self, StopUpdateCommand.self, UnwatchCommand.self, UpdateCommand.self,
            WatchCommand.self,
        ]
    )

    @OptionGroup var options: PluginOptions
}
