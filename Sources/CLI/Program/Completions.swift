internal import ArgumentParser
internal import Store

/// What a shell offers for words that only the database knows.
enum Completions {
    /// Tags, and the newest revisions.
    static let revisions = CompletionKind.custom { words, _, prefix in
        await ask(words) { store in
            let tags = try await store.tags(within: patience).map(\.name)
            let page = try await store.history(HistoryQuery(limit: 50), within: patience)
            return tags + page.revisions.map { "\($0.number)" }
        }.filter { $0.hasPrefix(prefix) }
    }

    static let tags = CompletionKind.custom { words, _, prefix in
        await ask(words) { store in try await store.tags(within: patience).map(\.name) }.filter { $0.hasPrefix(prefix) }
    }

    static let groups = CompletionKind.custom { words, _, prefix in
        await ask(words) { store in try await store.states(within: patience).map(\.group) }
            .filter { $0.hasPrefix(prefix) }
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
        return (try? await question(store)) ?? []
    }

    private static func value(of flag: String, in words: [String]) -> String? {
        if let index = words.firstIndex(of: flag), index + 1 < words.count { return words[index + 1] }
        return words.first { $0.hasPrefix("\(flag)=") }.map { String($0.dropFirst(flag.count + 1)) }
    }
}
