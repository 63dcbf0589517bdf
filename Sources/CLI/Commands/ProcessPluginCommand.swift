internal import ArgumentParser
internal import Logging
internal import NIOPosix
internal import PluginRPC
internal import ProcessGroup

/// `infrakit-manager plugin process`: the built-in group plugin, which keeps local processes running.
struct ProcessPluginCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "process",
        abstract: "Run a group plugin that keeps copies of a command running on this host",
        discussion: flowing(
            """
            Serves the Group plugin interface on the socket that --name names. Its processes keep running when the
            plugin stops, and it adopts them when it starts again. Their output is in
            <state-dir>/logs/<group>/<instance>.log. Several plugins on one host may share the directory: the processes
            of a group belong to the plugin that watches the group.

            Example: infrakit-manager plugin process --name group-stateless
            """
        )
    )

    @OptionGroup var logging: LogOptions
    @OptionGroup var naming: NameOptions

    @Option(
        help: ArgumentHelp(
            "Directory for state and logs (INFRAKIT_STATE_DIR; default: ~/.infrakit/process)",
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
        let signals = try ShutdownSignals()
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
