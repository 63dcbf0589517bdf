internal import ArgumentParser

/// What every command accepts.
struct LogOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Logging level. 0 is least verbose. Max is 5", valueName: "int"))
    var log = 4
}
