internal import ArgumentParser

/// `infrakit-manager`, the root of all commands.
struct ManagerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infrakit-manager",
        abstract: "Run and inspect a highly available manager in front of a group plugin",
        discussion: flowing(
            """
            Plugins are found in the directory INFRAKIT_PLUGINS_DIR (default: ~/.infrakit/plugins).
            Every flag can also be set with the environment variable that its help names, or in the YAML file that
            --config names.

            Exit status: 0 success, 1 failure, 2 wrong usage, 3 this replica follows, 4 nobody leads,
            5 the store cannot be used, 6 refused by the plugin, 7 recorded but not confirmed yet,
            or outcome unknown.

            Examples:
              infrakit-manager os --store-dir /mnt/shared/infrakit
              infrakit-manager status
              infrakit-manager history -n 5
              infrakit-manager rollback 12
            """
        ),
        subcommands: [
            OSCommand.self, SwarmCommand.self, HistoryCommand.self, ShowCommand.self, DiffCommand.self,
            RollbackCommand.self,
            CommitCommand.self, ConfirmCommand.self, AckCommand.self, TagCommand.self, UntagCommand.self,
            StatusCommand.self,
            LeadershipCommand.self, StepDownCommand.self, AcceptCommand.self, DoctorCommand.self, VerifyCommand.self,
            BackupCommand.self,
            ExportCommand.self, ImportCommand.self, PluginCommand.self, VersionCommand.self,
        ]
    )

    @OptionGroup var logging: LogOptions

    @OptionGroup var naming: NameOptions
    @OptionGroup var proxy: ProxyOptions
}
