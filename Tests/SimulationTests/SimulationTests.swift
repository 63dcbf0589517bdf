import Simulation
import Testing

/// The whole of a manager, under a scheduler that a seed decides. CI runs many more schedules with `make simulate`.
@Suite(.serialized) struct SimulationTests {
    @Test func nothingGoesWrong() async throws {
        let run = try await SimulateProgram.run("--seeds 1500")
        #expect(run.status == 0, "\(run)")
        let summary = try #require(run.lines.last)
        // Otherwise the schedules are too tame to mean anything, or one disturbs the next.
        #expect(summary.hasPrefix("1500 schedules "), "\(summary)")
        #expect(summary.contains(" 0 tasks left over"), "\(summary)")
        for what in ["faults", "terms", "fenced writes", "calls that change groups", "acknowledged writes"] {
            #expect(try #require(Self.number(of: what, in: summary)) > 3000, "\(summary)")
        }
    }

    @Test func nothingGoesWrongInSwarmMode() async throws {
        let run = try await SimulateProgram.run("--swarm --seeds 60")
        #expect(run.status == 0, "\(run)")
        let summary = try #require(run.lines.last)
        #expect(summary.hasPrefix("60 schedules ") && summary.contains(" 0 tasks left over"), "\(summary)")
        for what in ["faults", "terms", "fenced writes", "acknowledged writes"] {
            #expect(try #require(Self.number(of: what, in: summary)) > 100, "\(summary)")
        }
    }

    /// Each rule broken in turn: the simulation finds every one, and its last line shows it again.
    @Test(
        .enabled(if: SimulateProgram.isOptimized, "minutes without an optimized program: make rules"),
        arguments: BrokenRule.allCases
    )
    func everyBrokenRuleIsFound(_ broken: BrokenRule) async throws { try await expectFound(broken) }

    /// One of them, in any build.
    @Test func aBrokenRuleIsFound() async throws { try await expectFound(.unfencedWrite) }

    private func expectFound(_ broken: BrokenRule) async throws {
        let run = try await SimulateProgram.run("--seeds \(Self.enough)", "--break \(broken.rawValue)")
        #expect(run.status == 1, "no schedule of \(Self.enough) shows that \(broken.rawValue) is dangerous")
        let command = try #require(run.line("to see it again: "), "\(run)")
        let again = try await SimulateProgram.run(command: try SimulateProgram.here(command))
        #expect(again.status == 1, "\(again)")
        let shown = try #require(again.lines.last)
        // What happened, and what was wrong with it, is the same.
        #expect(run.lines.contains { !$0.isEmpty && shown.hasPrefix($0) }, "\(shown)\n\(run)")
        #expect(again.lines.contains { $0.contains("VIOLATION") }, "\(again)")
    }

    /// What an answer promises is worth nothing when no break of it is ever seen. Each rule that makes one untrue is found by that
    /// promise alone: ``everyBrokenRuleIsFound(_:)``.
    @Test func everyAnswerIsMadeUntrueByARule() {
        #expect(Set(BrokenRule.allCases.compactMap(\.untrueAnswer)) == Set(AnswerPromise.allCases))
    }

    private static let enough = 20_000

    /// Also with another number of threads, and in another process.
    @Test func theSameSeedIsTheSameSchedule() async throws {
        func hash(_ arguments: String) async throws -> String {
            let run = try await SimulateProgram.run("--hash --seeds 60", arguments)
            let summary = try #require(run.lines.last)
            return try #require(summary.split(separator: " ").last.map(String.init), "\(run)")
        }
        let one = try await hash("--threads 1")
        #expect(try await hash("--threads 1") == one)
        #expect(try await hash("--threads 3") == one)
        #expect(try await hash("--threads 1 --first 2") != one)
    }

    private static func number(of what: String, in summary: String) -> Int? {
        summary.split(separator: ", ").compactMap { part in
            part.hasSuffix(" \(what)") ? part.split(separator: " ").compactMap { Int($0) }.last : nil
        }.first
    }
}
