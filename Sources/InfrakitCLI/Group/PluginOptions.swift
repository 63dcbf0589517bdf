internal import ArgumentParser
internal import GroupSPI

/// Which plugin a verb of `infrakit group` speaks to.
struct PluginOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Name of plugin", valueName: "string"))
    var name: Identifier = "group"

    @OptionGroup private var logOptions: LogOptions

    var log: Int { logOptions.log }
}
