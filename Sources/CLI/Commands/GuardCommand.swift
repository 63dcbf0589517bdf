internal import ArgumentParser
internal import Glibc
internal import GroupSPI
internal import Logging
internal import Manager
internal import NIOPosix
internal import PluginRPC

/// `infrakit-manager guard`: started by the manager itself, never by a person.
struct GuardCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "guard",
        abstract: "Let the groups go when the manager cannot (started by the manager itself)",
        shouldDisplay: false
    )

    @Option var lock: String
    @Option var plugin: String
    @Option var pluginProtocol = PluginProtocol.auto
    @OptionGroup var logging: LogOptions

    /// The command line that starts a guard.
    static func arguments(lock: String, plugin: String, pluginProtocol: PluginProtocol, log: Int) throws -> [String] {
        var path = [CChar](repeating: 0, count: 4096)
        // The program's own file, also when it was found through PATH or has been replaced since.
        let length = readlink("/proc/self/exe", &path, path.count - 1)
        guard length > 0 else {
            throw Failure("cannot find this program's own file: \(String(cString: strerror(errno)))")
        }
        let program = String(decoding: path[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return [
            program, "guard", "--lock", lock, "--plugin", plugin, "--plugin-protocol", pluginProtocol.rawValue,
            "--log", "\(log)",
        ]
    }

    func run(in session: Session) async throws -> ExitStatus {
        var logger = logging.logger("guard", in: session)
        logger[metadataKey: "guard"] = "\(plugin)"
        // Held until this process ends: the next run's guard waits for it.
        let held = try FileLock(waitingFor: lock)
        defer { withExtendedLifetime(held) {} }
        let client = PluginClient(
            name: plugin,
            endpoint: .named(plugin, session.plugins),
            protocol: pluginProtocol,
            limits: .standard,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        let loop = GuardLoop(
            plugin: client,
            clock: BootClock(),
            timeout: .seconds(5),
            logger: logger,
            acknowledge: { number in
                GuardMessage(number: number, deadline: nil).bytes.prefix(8).withUnsafeBytes { bytes in
                    _ = write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
                }
            }
        )
        let (events, post) = GuardLoop.messages(from: STDIN_FILENO)
        let signals = try EndSignals()
        let terminator = Task {
            while await signals.next() { post(.terminate) }
        }
        await loop.run(events)
        terminator.cancel()
        await client.shutdown()
        return .done
    }
}
