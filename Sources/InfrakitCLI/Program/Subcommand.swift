internal import ArgumentParser

/// A command that does something. Parsing its words is the library's part, doing it is ``run(in:)``'s, and printing
/// what came of it is ``Report``'s.
protocol Subcommand: ParsableCommand {
    /// - Throws: ``Failure``.
    func run(in session: Session) async throws(Failure) -> Report
}
