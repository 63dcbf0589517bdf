internal import ArgumentParser

/// `infrakit-manager`, the root of all commands.
struct ManagerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infrakit-manager",
        abstract: "Manager: state, history and leadership in front of a group plugin",
        discussion: flowing(
            """
            Plugins are found in the directory INFRAKIT_PLUGINS_DIR (default: ~/.infrakit/plugins).
            Every flag can also be set through an environment variable, named in its help, or in the YAML file that
            --config names.

            Exit status: 0 done, 1 failed, 2 wrong usage, 3 this replica follows, 4 nobody leads,
            5 the store cannot be used, 6 the plugin refused it, 7 recorded but not confirmed yet,
            or perhaps still carried out.

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
