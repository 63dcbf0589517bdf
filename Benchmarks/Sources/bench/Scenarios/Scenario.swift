internal import ArgumentParser

/// One subcommand: it measures something and reports it.
protocol Scenario: AsyncParsableCommand {
    var common: CommonOptions { get }

    /// - Throws: one sentence that says why there are no figures.
    func measure(_ programs: Programs) async throws -> Report
}

extension Scenario {
    func run() async throws {
        try Machine.report().publish(in: common.out)
        try await publish()
    }

    func publish() async throws {
        try await measure(Programs(in: common.programs)).publish(in: common.out)
    }
}
