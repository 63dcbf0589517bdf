/// The words of a command line, as they are parsed: global flags behind the subcommand, and for every flag that is not
/// given the value that its environment variable holds.
struct CommandLineWords {
    /// Accepted before and after the subcommand, as by the original.
    private static let global = ["--log", "--log-format", "--name", "--proxy-for-group"]

    private let environment: [String: String]
    private let file: ConfigurationFile?

    init(_ environment: [String: String], _ file: ConfigurationFile? = nil) {
        self.environment = environment
        self.file = file
    }

    func inOrder(_ words: [String]) -> [String] {
        // As with the original, a switch that may be given a value means true without one.
        inOrderAsGiven(words.map { $0 == "--tlsverify" ? "--tlsverify=true" : $0 })
    }

    private func inOrderAsGiven(_ words: [String]) -> [String] {
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
        let rest = words[(index + length)...]
        return Array(words[index..<(index + length)]) + moved + fromElsewhere(verb, given: moved + rest) + rest
    }

    /// Flags that the environment sets, or the configuration file. What the command line says comes first, then the
    /// environment.
    private func fromElsewhere(_ verb: String, given words: [String]) -> [String] {
        (Self.flags[verb] ?? []).flatMap { flag -> [String] in
            let isGiven = words.contains { $0 == flag || $0.hasPrefix("\(flag)=") || flag == "--output" && $0 == "-o" }
            guard !isGiven else { return [] }
            var values = file?.values[flag] ?? []
            if let value = environment[Self.variable(flag)], !value.isEmpty { values = [value] }
            return values.flatMap { value -> [String] in
                guard !Self.switches.contains(flag) else { return ["1", "true", "yes"].contains(value) ? [flag] : [] }
                return ["\(flag)=\(value)"]
            }
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
            "--request-memory",
        ],
        "swarm": logging + [
            "--name", "--proxy-for-group", "--id", "--store-dir", "--host", "--tlscacert", "--tlscert", "--tlskey",
            "--tlsverify", "--poll-interval", "--reconcile-interval", "--rpc-timeout", "--plugin-protocol",
            "--history-limit", "--history-max-age", "--forward-writes", "--socket-mode", "--allow-uid",
            "--request-memory",
        ],
        "history": reading,
        "show": ["--store-dir"],
        "diff": reading,
        "rollback": reading,
        "commit": reading,
        "confirm": ["--store-dir"],
        "tag": reading,
        "untag": ["--store-dir"],
        "status": reading + ["--name"],
        "leadership": reading,
        "step-down": ["--store-dir"],
        "doctor": reading + ["--name"],
        "verify": reading,
        "backup": reading,
        "export": ["--store-dir"],
        "import": reading,
        "plugin": logging + ["--name", "--state-dir", "--socket-mode", "--allow-uid", "--request-memory"],
    ]
}
