internal import Glibc
internal import GroupSPI
internal import Logging
internal import PluginRPC
internal import Terminal

/// What a verb may use of the world: the environment, the standard streams, the clock, and plugins.
struct Session: Sendable {
    let environment: [String: String]
    let standardInput: @Sendable () throws(Failure) -> [UInt8]
    /// Results. Throws `StreamError` when they are not taken.
    let standardOutput: @Sendable (TerminalText) throws(StreamError) -> Void
    let standardError: @Sendable (TerminalText) -> Void
    /// To be called when all results are written; throws `StreamError` when they are not kept.
    var endOutput: @Sendable () throws(StreamError) -> Void = { () throws(StreamError) in }
    let log: LogBuffer
    let now: @Sendable () -> Timestamp

    var plugins: PluginDirectory { .fromEnvironment(environment) }

    /// Calls a plugin.
    ///
    /// - Throws: ``Failure`` with the plugin's own words, or why it could not be reached.
    func call(_ request: GroupRequest, _ options: PluginOptions) async throws(Failure) -> GroupReply {
        guard plugins.entry(named: options.name) != nil else {
            throw .fatal("Plugin not found: \(options.name)")
        }
        let level = Logger.Level(verbosity: options.log)
        let logger = Logger(label: "infrakit") { [log] _ in
            LineLogHandler(level: level, format: .text, now: now, write: { log.put($0) })
        }
        // What is printed next comes behind it.
        defer { log.flush(within: .seconds(1)) }
        let client = PluginClient(
            name: options.name,
            endpoint: .named(options.name, plugins),
            login: LoginUser.current(),
            logger: logger
        )
        let outcome: Result<GroupReply, Failure>
        do {
            outcome = .success(try await client.call(request, within: request.patience))
        } catch {
            outcome = .failure(Failure(error))
        }
        await client.shutdown()
        return try outcome.get()
    }
}

extension Session {
    /// The process's own environment and streams.
    static func ofProcess() -> Session {
        let log = LogBuffer { try? StandardStream.error.write($0) }
        return Session(
            environment: Self.environment(),
            standardInput: { () throws(Failure) in try FileReader.read(descriptor: STDIN_FILENO, name: "standard input")
            },
            standardOutput: { (text) throws(StreamError) in try StandardStream.output.write(text.text) },
            standardError: { try? StandardStream.error.write($0.text) },
            endOutput: { () throws(StreamError) in try StandardStream.output.close() },
            log: log,
            now: { Timestamp.now() }
        )
    }

    private static func environment() -> [String: String] {
        // The two that this program reads; a full list would need the C library's global variable.
        var values: [String: String] = [:]
        for name in [PluginDirectory.variable, "HOME"] {
            if let value = getenv(name) { values[name] = String(cString: value) }
        }
        return values
    }
}

extension GroupRequest {
    /// How long a person waits: an update runs until its last instance is replaced.
    fileprivate var patience: Duration {
        switch self {
        case .inspect, .describe, .describeUpdate, .size, .commit(_, pretend: true): .seconds(60)
        default: .seconds(24 * 3600)
        }
    }
}
