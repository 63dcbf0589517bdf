internal import ArgumentParser

/// Of every scenario.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the released programs are", valueName: "dir"))
    var programs = "out/bin"

    @Option(help: ArgumentHelp("Where the tables and pictures go", valueName: "dir"))
    var out = "out/bench"

    /// The same, as words of a command line.
    var words: [String] { ["--programs", programs, "--out", out] }
}
