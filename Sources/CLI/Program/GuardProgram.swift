internal import Glibc
internal import GroupSPI
internal import Logging
internal import Manager
internal import PluginRPC
internal import Terminal

/// `infrakit-manager guard …`: lets the groups go when the manager cannot. Started by the manager itself, never by a person.
///
/// It is no command among the others, which only a large parser tells apart: as long as the manager lives it does nothing, and
/// that should cost little.
struct GuardProgram {
    private static let word = "guard"

    private let lock: String
    private let plugin: Identifier
    private let pluginProtocol: PluginProtocol
    private let log: Int
    private let logFormat: LogLine.Format
    private let patience: Duration

    /// - Returns: nil for the words of another command line than ``arguments(lock:plugin:pluginProtocol:logging:patience:)`` makes.
    init?(_ words: [String]) {
        guard words.count == 7, words[0] == Self.word, let pluginProtocol = PluginProtocol(rawValue: words[3]),
            let log = Int(words[4]), let logFormat = LogLine.Format(rawValue: words[5]),
            let patience = Int(words[6])
        else { return nil }
        self.lock = words[1]
        self.plugin = Identifier(words[2])
        self.pluginProtocol = pluginProtocol
        self.log = log
        self.logFormat = logFormat
        self.patience = .milliseconds(patience)
    }

    /// The command line that starts a guard.
    static func arguments(
        lock: String,
        plugin: Identifier,
        pluginProtocol: PluginProtocol,
        logging: LogOptions,
        patience: Duration
    ) throws -> [String] {
        var path = [CChar](repeating: 0, count: 4096)
        // The program's own file, also when it was found through PATH or has been replaced since.
        let length = readlink("/proc/self/exe", &path, path.count - 1)
        guard length > 0 else {
            throw Failure("cannot find this program's own file: \(String(cString: strerror(errno)))")
        }
        let program = String(decoding: path[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return [
            program, word, lock, plugin.text, pluginProtocol.rawValue, "\(logging.log)", logging.logFormat.rawValue,
            "\(patience.milliseconds)",
        ]
    }

    func run(in session: Session) async throws -> ExitStatus {
        var logger = session.logger("guard", verbosity: log, format: logFormat)
        logger[metadataKey: "guard"] = "\(plugin)"
        // Held until this process ends: the next run's guard waits for it.
        let lock = self.lock
        let held = try GuardLock.wait(for: lock)
        defer { withExtendedLifetime(held) {} }
        guard let knowledge = GuardProcess.knowledge() else {
            throw Failure("this command is internal: only a manager starts its guard", .usage)
        }
        let client = LatePlugin(name: plugin, in: session.plugins, plugin: pluginProtocol, logger: logger)
        let loop = GuardLoop(
            plugin: client,
            knowledge: knowledge,
            clock: BootClock(),
            timeout: .seconds(5),
            patience: patience,
            isAwaited: { GuardLock.isAwaited(lock) },
            holdPlace: { GuardLock.hold(held, at: lock) },
            logger: logger,
            acknowledge: { number in
                GuardMessage(number: number, deadline: nil).bytes.prefix(8).withUnsafeBytes { bytes in
                    _ = write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
                }
            }
        )
        let (events, post) = GuardLoop.messages(from: STDIN_FILENO)
        let signals = try ShutdownSignals()
        let terminator = Task {
            while await signals.next() { post(.terminate) }
        }
        await loop.run(events)
        terminator.cancel()
        await client.shutdown()
        return .done
    }
}
