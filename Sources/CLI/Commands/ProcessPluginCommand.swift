internal import ArgumentParser
internal import Logging
internal import NIOPosix
internal import PluginRPC
internal import ProcessGroup

/// `infrakit-manager plugin process`: the built-in group plugin, which keeps local processes running.
struct ProcessPluginCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "process",
        abstract: "Run the group plugin that keeps copies of a command running on this host",
        discussion: flowing(
            """
            It serves the Group plugin interface on the socket of its name. Its processes outlive it, and it finds them
            again. Their output is in <state-dir>/logs/<group>/<instance>.log. Plugins of one host may share the directory:
            a group's processes belong to the one that watches it, and are handed on with it.

            Example: infrakit-manager plugin process --name group-stateless
            """
        )
    )

    @OptionGroup var logging: LogOptions
    @OptionGroup var naming: NameOptions

    @Option(
        help: ArgumentHelp(
            "Directory of its state and logs (INFRAKIT_STATE_DIR; default: ~/.infrakit/process)",
            valueName: "dir"
        )
    )
    var stateDir: String?

    @OptionGroup var serving: ServingOptions

    func run(in session: Session) async throws -> ExitStatus {
        let name = naming.name ?? ServingOptions.defaultPlugin
        let descriptors = try DescriptorBudget.found()
        let logger = logging.logger("group-process", in: session)
        let directory = stateDir ?? "\(session.home)/.infrakit/process"
        try Directories.make(directory)
        let notifier = ServiceNotifier(session.service, logger: logger)
        if notifier.watchdog != nil {
            logger.warning("the service manager waits for pings, and a plugin sends none; unset WatchdogSec")
        }
        let plugin = try ProcessGroupPlugin(
            stateDirectory: directory,
            logger: logger
        )
        // Before anything that has to end in order.
        let signals = try EndSignals()
        let server = try await PluginServer.start(
            ServedPlugin(name: name, group: plugin, manager: nil),
            at: session.plugins.socketPath(for: name),
            configuration: descriptors.apply(to: serving.serverConfiguration),
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        logger.info("plugin started", metadata: ["socket": "\(session.plugins.socketPath(for: name))"])
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await plugin.run() }
            await notifier.ready()
            await signals.next()
            await notifier.stopping()
            await server.stop(grace: .seconds(1))
            // The processes go on when the plugin ends.
            tasks.cancelAll()
        }
        return .done
    }
}
