internal import ArgumentParser

/// Which plugin a verb of `infrakit group` speaks to.
struct PluginOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Name of plugin", valueName: "string"))
    var name = "group"

    @OptionGroup private var logOptions: LogOptions

    var log: Int { logOptions.log }
}
