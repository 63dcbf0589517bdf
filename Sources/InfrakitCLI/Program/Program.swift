internal import ArgumentParser
internal import Terminal

/// From the words of a command line to an exit status.
enum Program {
    /// Nobody reads the output any more: as the shell tells of a program that SIGPIPE has ended.
    static let readerGone: Int32 = 141

    /// - Parameter words: without the program's own name.
    /// - Returns: 0; 1 when it failed; ``readerGone``.
    static func run(_ words: [String], in session: Session) async -> Int32 {
        do {
            var command = try InfrakitCommand.parseAsRoot(try ArgumentPreprocessor.inOrder(words))
            guard let verb = command as? any Subcommand else {
                // `infrakit`, `infrakit group`, `infrakit help …`: they show help.
                try command.run()
                return 0
            }
            return await run(verb, in: session)
        } catch let unknown as ArgumentPreprocessor.UnknownSubcommand {
            let name = unknown.command.configuration.commandName ?? ""
            session.standardError("Error: unknown command '\(unknown.word)' for 'infrakit \(name)'\n")
            session.standardError(TerminalText(paragraph: InfrakitCommand.helpMessage(for: unknown.command) + "\n"))
            return 1
        } catch {
            let message = TerminalText(paragraph: InfrakitCommand.fullMessage(for: error) + "\n")
            guard InfrakitCommand.exitCode(for: error).isSuccess else {
                session.standardError(message)
                return 1
            }
            return tell(message, in: session)
        }
    }

    private static func run(_ verb: any Subcommand, in session: Session) async -> Int32 {
        do throws(Failure) {
            return tell(try await verb.run(in: session).text, in: session)
        } catch {
            return fail(error, in: session)
        }
    }

    private static func tell(_ result: TerminalText, in session: Session) -> Int32 {
        do throws(StreamError) {
            try session.standardOutput(result)
            try session.endOutput()
            return 0
        } catch {
            return error.isReaderGone ? readerGone : fail(Failure(error), in: session)
        }
    }

    private static func fail(_ failure: Failure, in session: Session) -> Int32 {
        session.standardError(
            TerminalText(exact: FatalLine(level: failure.level, message: failure.message, time: session.now()).text)
        )
        return 1
    }
}
