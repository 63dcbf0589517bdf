internal import ArgumentParser
internal import GroupSPI
internal import Manager
internal import PluginRPC
internal import Store
internal import Terminal

/// Of a manager, wherever its state and leadership come from.
struct ReplicaOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Id of this replica in the lease, the history and errors (INFRAKIT_ID; default: <host>/<name>)",
            valueName: "string"
        )
    )
    var id: Identifier?

    @Option(
        help: ArgumentHelp(
            "How often to ask the plugin which groups it watches (INFRAKIT_RECONCILE_INTERVAL)",
            valueName: "d"
        )
    )
    var reconcileInterval = GoDuration(.seconds(10))

    @Option(help: ArgumentHelp("Timeout of a call to the plugin (INFRAKIT_RPC_TIMEOUT)", valueName: "d"))
    var rpcTimeout = GoDuration(.seconds(30))

    @Option(
        help: ArgumentHelp(
            "Protocol of the plugin: auto, stream or http (INFRAKIT_PLUGIN_PROTOCOL)",
            valueName: "protocol"
        )
    )
    var pluginProtocol = PluginProtocol.auto

    @Option(
        help: ArgumentHelp(
            "Number of newest revisions to keep; tagged and current ones are always kept (INFRAKIT_HISTORY_LIMIT; "
                + "default: all)",
            valueName: "n"
        )
    )
    var historyLimit: Int?

    @Option(
        help: ArgumentHelp(
            "How long to keep revisions; tagged and current ones are always kept (INFRAKIT_HISTORY_MAX_AGE; default: "
                + "forever)",
            valueName: "d"
        )
    )
    var historyMaxAge: GoDuration?

    @Flag(
        help: "While following, forward users' writes to the leader instead of refusing them (INFRAKIT_FORWARD_WRITES)"
    )
    var forwardWrites = false

    @OptionGroup var serving: ServingOptions

    func validate() throws {
        if let historyLimit, historyLimit < 1 {
            throw ValidationError("--history-limit must be 1 or more, not \(historyLimit)")
        }
        if let id, ReplicaID(id) == nil {
            throw ValidationError(
                "--id must be one line of 1 to \(ReplicaID.longest) bytes without surrounding blanks, not "
                    + "\(LogLine.quoted(id.text))"
            )
        }
    }

    var retention: RetentionPolicy {
        RetentionPolicy(limit: historyLimit, maximumAge: historyMaxAge?.duration.milliseconds)
    }

    func termSettings(_ election: ElectionSettings, plugin: Identifier) -> TermSettings {
        var settings = TermSettings(
            rpcTimeout: rpcTimeout.duration,
            reconcileInterval: reconcileInterval.duration,
            election: election,
            pluginName: plugin
        )
        settings.retention = retention
        settings.forwardsWrites = forwardWrites
        return settings
    }
}
