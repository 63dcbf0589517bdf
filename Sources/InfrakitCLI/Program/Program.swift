internal import ArgumentParser

/// From the words of a command line to an exit status.
enum Program {
    /// - Parameter words: without the program's own name.
    /// - Returns: 0, or 1 when it failed.
    static func run(_ words: [String], in session: Session) async -> Int32 {
        do {
            var command = try InfrakitCommand.parseAsRoot(CommandLineWords.inOrder(words))
            guard let verb = command as? any Verb else {
                // `infrakit`, `infrakit group`, `infrakit help …`: they show help.
                try command.run()
                return 0
            }
            return await run(verb, in: session)
        } catch {
            let message = InfrakitCommand.fullMessage(for: error)
            guard InfrakitCommand.exitCode(for: error).isSuccess else {
                session.standardError(message + "\n")
                return 1
            }
            session.standardOutput(message + "\n")
            return 0
        }
    }

    private static func run(_ verb: any Verb, in session: Session) async -> Int32 {
        do throws(Failure) {
            let report = try await verb.run(in: session)
            session.standardOutput(report.text)
            return 0
        } catch {
            session.standardError(FatalLine(level: error.level, message: error.message, time: session.now()).text)
            return 1
        }
    }
}
