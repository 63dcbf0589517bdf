internal import ArgumentParser
internal import BenchmarkSupport

struct AllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all",
        abstract: "Every scenario, one after the other, with its default options"
    )

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Where the database of a million revisions is kept", valueName: "dir"))
    var keepDir: String?

    func run() async throws {
        try Machine.report().publish(in: common.out)
        // Made once also where it is not kept.
        try await Lab.with(Programs(in: common.programs)) { lab in try await run(keeping: keepDir ?? "\(lab.path)/kept")
        }
    }

    private func run(keeping directory: String) async throws {
        let kept = ["--keep-dir", directory]
        let scenarios: [any Scenario] = [
            try ReadsCommand.parse(common.words),
            try HistoryCommand.parse(common.words + kept),
            try TakeoverCommand.parse(common.words),
            try StartCommand.parse(common.words),
            try FollowersCommand.parse(common.words),
            try EnduranceCommand.parse(common.words),
            try GrowthCommand.parse(common.words + kept),
        ]
        var failed: [String] = []
        for scenario in scenarios {
            do {
                try await scenario.publish()
            } catch {
                Terminal.say("\(error)")
                failed.append(type(of: scenario).configuration.commandName ?? "")
            }
        }
        guard failed.isEmpty else { throw BenchmarkError("without figures: \(failed.joined(separator: ", "))") }
    }
}
