internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// What a shell offers for words that only the database knows.
enum Completions {
    /// Tags, and the newest revisions.
    static let revisions = CompletionKind.custom { words, _, _ in
        await ask(words) { store in
            let tags = try await store.tags(within: patience).map(\.name.text)
            let page = try await store.history(HistoryQuery(limit: 50), within: patience)
            return tags + page.revisions.map { "\($0.number)" }
        }
    }

    /// Those that are still warned of.
    static let rejected = CompletionKind.custom { words, _, _ in
        await ask(words) { store in try await store.summary(within: patience).rejected.map { "\($0)" } }
    }

    static let tags = CompletionKind.custom { words, _, _ in
        await ask(words) { store in try await store.tags(within: patience).map(\.name.text) }
    }

    static let groups = CompletionKind.custom { words, _, _ in
        await ask(words) { store in try await store.states(within: patience).map(\.group.text) }
    }

    /// Nobody who presses a key waits longer, and nobody wants to read an error then.
    private static let patience = Duration.seconds(2)

    private static func ask(
        _ words: [String],
        _ question: @Sendable (Store) async throws -> [String]
    ) async -> [String] {
        let session = Session.ofProcess()
        let given = (try? ConfigurationFile.load(for: words, in: session)) ?? nil
        let directory =
            value(of: "--store-dir", in: words) ?? session.environment["INFRAKIT_STORE_DIR"]
            ?? given?.values["--store-dir"]?.first
        let store = StoreOptions.store(in: directory, session)
        return ((try? await question(store)) ?? []).compactMap { candidate($0, for: CompletionShell.requesting) }
    }

    /// A candidate is a line, in each shell; which of them fit what has been typed the shell itself finds out, that knows
    /// how it is quoted.
    ///
    /// - Returns: nil for a text that is no line, or that nobody could type.
    static func candidate(_ text: String, for shell: CompletionShell?) -> String? {
        guard !text.isEmpty, !text.unicodeScalars.contains(where: TerminalText.isObeyed) else { return nil }
        // What follows a colon is a description to zsh.
        return shell == .zsh ? text.replacing("\\", with: "\\\\").replacing(":", with: "\\:") : text
    }

    private static func value(of flag: String, in words: [String]) -> String? {
        if let index = words.firstIndex(of: flag), index + 1 < words.count { return words[index + 1] }
        return words.first { $0.hasPrefix("\(flag)=") }.map { String($0.dropFirst(flag.count + 1)) }
    }
}
