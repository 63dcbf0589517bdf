internal import ArgumentParser

@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the released programs as users run them",
        discussion: """
            Each scenario prints its tables and writes them to out/bench. Databases are made in the directory that BENCH_DIR
            names, or else in the current one: it has to be on a disk.
            """,
        subcommands: [
            AllCommand.self, EnduranceCommand.self, FollowersCommand.self, GrowthCommand.self, HistoryCommand.self,
            InProcessCommand.self, ReadsCommand.self, StartCommand.self, TakeoverCommand.self,
        ]
    )
}
