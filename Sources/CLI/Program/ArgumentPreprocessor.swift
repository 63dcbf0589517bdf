/// The words of a command line, as they are parsed: global flags behind the subcommand, and for every flag that is not
/// given the value that its environment variable holds.
struct ArgumentPreprocessor {
    /// Accepted before and after the subcommand, as by the original.
    private static let global = ["--log", "--log-format", "--name", "--proxy-for-group"]

    private let environment: [String: String]
    private let file: ConfigurationFile?

    init(_ environment: [String: String], _ file: ConfigurationFile? = nil) {
        self.environment = environment
        self.file = file
    }

    /// - Throws: ``Failure`` for a variable, or a line of the configuration file, that has no sense.
    func inOrder(_ words: [String]) throws -> [String] {
        // As with the original, a switch that may be given a value means true without one.
        try inOrderAsGiven(words.map { $0 == "--tlsverify" ? "--tlsverify=true" : $0 })
    }

    private func inOrderAsGiven(_ words: [String]) throws -> [String] {
        var moved: [String] = []
        var index = 0
        while index < words.count, words[index].hasPrefix("-") {
            if Self.global.contains(words[index]), index + 1 < words.count {
                moved += words[index...(index + 1)]
                index += 2
            } else if Self.global.contains(where: { words[index].hasPrefix("\($0)=") }) {
                moved.append(words[index])
                index += 1
            } else {
                return words
            }
        }
        guard index < words.count else { return words }
        let verb = words[index]
        // `plugin process` has its name in two words.
        let length = verb == "plugin" && index + 1 < words.count ? 2 : 1
        let rest = words[min(index + length, words.count)...]
        try Self.requireNoNegative(verb, rest)
        return Array(words[..<rest.startIndex].dropFirst(index)) + moved
            + (try fromElsewhere(verb, given: moved + rest)) + rest
    }

    /// Flags that the environment sets, or the configuration file. What the command line says comes first, then the
    /// environment.
    private func fromElsewhere(_ verb: String, given words: [String]) throws -> [String] {
        try (Self.flags[verb] ?? []).flatMap { flag -> [String] in
            let isGiven = words.contains { $0 == flag || $0.hasPrefix("\(flag)=") || flag == "--output" && $0 == "-o" }
            guard !isGiven else { return [] }
            var values = file?.values[flag] ?? []
            if let value = environment[Self.variable(flag)], !value.isEmpty { values = [value] }
            return try values.flatMap { value -> [String] in
                switch flag {
                case _ where Self.switches.contains(flag): return try Self.isTrue(value, flag) ? [flag] : []
                case "--tlsverify": return ["\(flag)=\(try Self.isTrue(value, flag))"]
                // Of this form only the history has some.
                case "--output" where verb != "history" && value == "jsonl": return ["--output=json"]
                default: return ["\(flag)=\(value)"]
                }
            }
        }
    }

    private static func isTrue(_ value: String, _ flag: String) throws -> Bool {
        switch value.lowercased() {
        case "1", "t", "true", "yes", "on": return true
        case "0", "f", "false", "no", "off": return false
        default: throw Failure("\(flag), or \(variable(flag)), must be true or false, not '\(value)'", .usage)
        }
    }

    /// `-1` would be taken for a flag, and the revision be missed.
    private static func requireNoNegative(_ verb: String, _ words: ArraySlice<String>) throws {
        guard ["show", "diff", "rollback", "confirm", "ack", "tag"].contains(verb) else { return }
        for (word, before) in zip(words, [""] + words) where !(before.hasPrefix("-") && !before.contains("=")) {
            guard word.wholeMatch(of: /-[0-9]+/) != nil else { continue }
            throw Failure("\(word) is not a revision; use a number, from 1 on, or a tag", .usage)
        }
    }

    /// `--lease-ttl` → `INFRAKIT_LEASE_TTL`.
    static func variable(_ flag: String) -> String {
        "INFRAKIT_" + flag.drop { $0 == "-" }.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }

    private static let switches = ["--unsafe-storage", "--forward-writes"]

    private static let logging = ["--log", "--log-format"]
    private static let reading = ["--store-dir", "--output"]

    /// The flags of each verb that the environment may set. A verb's own arguments, such as a revision, it may not.
    static let flags: [String: [String]] = [
        "os": logging + [
            "--name", "--proxy-for-group", "--id", "--store-dir", "--leader-file", "--lease-ttl", "--renew-deadline",
            "--poll-interval", "--reconcile-interval", "--rpc-timeout", "--plugin-protocol", "--unsafe-storage",
            "--history-limit", "--history-max-age", "--forward-writes", "--socket-mode", "--allow-uid",
            "--request-memory", "--reply-memory",
        ],
        "swarm": logging + [
            "--name", "--proxy-for-group", "--id", "--store-dir", "--host", "--tlscacert", "--tlscert", "--tlskey",
            "--tlsverify", "--poll-interval", "--reconcile-interval", "--rpc-timeout", "--plugin-protocol",
            "--history-limit", "--history-max-age", "--forward-writes", "--socket-mode", "--allow-uid",
            "--request-memory", "--reply-memory",
        ],
        "history": reading,
        "show": ["--store-dir"],
        "diff": reading,
        "rollback": reading,
        "commit": reading,
        "confirm": ["--store-dir"],
        "ack": ["--store-dir"],
        "tag": reading,
        "untag": ["--store-dir"],
        "status": reading + ["--name"],
        "leadership": reading,
        "step-down": ["--store-dir"],
        "accept": ["--store-dir"],
        "doctor": reading + ["--name"],
        "verify": reading,
        "backup": reading,
        "export": ["--store-dir"],
        "import": reading,
        "plugin": logging + [
            "--name", "--state-dir", "--socket-mode", "--allow-uid", "--request-memory", "--reply-memory",
        ],
    ]
}
