internal import ArgumentParser
internal import Terminal

/// A command that does something.
protocol Subcommand: AsyncParsableCommand {
    /// - Throws: anything; ``Failure`` makes a sentence and a status of it.
    func run(in session: Session) async throws -> ExitStatus
}

extension Subcommand {
    func run() async throws { throw CleanExit.helpRequest(self) }
}

/// From the words of a command line to an exit status.
enum Program {
    /// - Parameter words: without the program's own name.
    static func run(_ words: [String], in session: Session) async -> ExitStatus {
        if let program = GuardProgram(words) {
            do {
                return try await program.run(in: session)
            } catch {
                return fail(Failure(error), in: session)
            }
        }
        let verb: any Subcommand
        do {
            var command = try await ManagerCommand.asyncParseAsRoot(try ordered(words, in: session))
            guard let parsed = command as? any Subcommand else {
                // `infrakit-manager`, `infrakit-manager help …`: they end by showing help.
                try command.run()
                return .done
            }
            verb = parsed
        } catch let failure as Failure {
            return fail(failure, in: session)
        } catch {
            return report(error, in: session)
        }
        do {
            let status = try await verb.run(in: session)
            try session.endOutput()
            return status
        } catch let error as StreamError where error.isReaderGone {
            return .readerGone
        } catch {
            return fail(Failure(error), in: session)
        }
    }

    /// The words as they are parsed.
    private static func ordered(_ words: [String], in session: Session) throws -> [String] {
        // A shell asks what could stand somewhere in a line: its words are counted, and nobody wants to read of a file
        // that is missing yet.
        guard words.first != "---completion" else { return words }
        let file = try ConfigurationFile.load(for: words, in: session)
        return try ArgumentPreprocessor(session.environment, file).inOrder(ConfigurationFile.stripped(words))
    }

    private static func fail(_ failure: Failure, in session: Session) -> ExitStatus {
        session.standardError("infrakit-manager: \(failure.message)\n")
        return failure.status
    }

    /// Help and version are no errors; all else is wrong usage.
    private static func report(_ error: any Error, in session: Session) -> ExitStatus {
        let message = ManagerCommand.fullMessage(for: error)
        guard ManagerCommand.exitCode(for: error).isSuccess else {
            session.standardError(TerminalText(paragraph: message + "\n"))
            return .usage
        }
        do {
            let script = CompletionScript.mended(message + "\n")
            guard let script else { throw Failure("the generated completion script has an unexpected form") }
            try session.standardOutput(TerminalText(exact: script))
            try session.endOutput()
            return .done
        } catch let error as StreamError where error.isReaderGone {
            return .readerGone
        } catch {
            return fail(Failure(error), in: session)
        }
    }
}
