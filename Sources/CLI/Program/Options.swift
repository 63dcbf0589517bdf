public import ArgumentParser
internal import GroupSPI
internal import Logging
internal import PluginRPC
internal import Store
public import Terminal

/// Of the programs that keep running.
struct LogOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Logging level. 0 is least verbose. Max is 5 (INFRAKIT_LOG)", valueName: "int"))
    var log = 4

    @Option(help: ArgumentHelp("text or json (INFRAKIT_LOG_FORMAT)", valueName: "format"))
    var logFormat = LogLine.Format.text

    func validate() throws {
        guard (0...5).contains(log) else { throw ValidationError("--log must be 0 to 5, not \(log)") }
    }

    func logger(_ label: String, in session: Session) -> Logger {
        session.logger(label, verbosity: log, format: logFormat)
    }
}

extension LogLine.Format: ExpressibleByArgument {}

/// Which manager, or plugin. Like ``LogOptions`` and ``ProxyOptions`` a group, shared with the root command: of an option
/// that both declare for themselves, the root would take the value and the subcommand see its default.
struct NameOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Name of the manager or plugin, and of its socket (INFRAKIT_NAME; default: "
                + "\(ServingOptions.defaultName); plugin process: \(ServingOptions.defaultPlugin))",
            valueName: "string"
        )
    )
    var name: Identifier?

    func validate() throws {
        if let name, !PluginDirectory.isName(name) {
            throw ValidationError(
                "--name must be a socket's name: not empty, without '/', line feeds or surrounding blanks; not "
                    + LogLine.quoted(name.text)
            )
        }
    }
}

struct ProxyOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Name of the group plugin to proxy for (INFRAKIT_PROXY_FOR_GROUP)", valueName: "string"))
    var proxyForGroup = ServingOptions.defaultPlugin

    func validate() throws {
        // What follows a slash is the plugin's own.
        let socket = proxyForGroup.text.utf8.prefix { $0 != UInt8(ascii: "/") }
        guard PluginDirectory.isName(Identifier(String(decoding: socket, as: UTF8.self))) else {
            throw ValidationError(
                "--proxy-for-group must be the name of a plugin's socket, not \(LogLine.quoted(proxyForGroup.text))"
            )
        }
    }
}

/// Where the database is.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Directory of the database (INFRAKIT_STORE_DIR; default: ~/.infrakit/configs)",
            valueName: "dir"
        ),
        completion: .directory
    )
    var storeDir: String?

    @Option(
        help: ArgumentHelp(
            "YAML file that sets flags by name; command line and environment take precedence (INFRAKIT_CONFIG)",
            valueName: "file"
        ),
        completion: .file()
    )
    var config: String?

    func directory(in session: Session) -> String { storeDir ?? Self.defaultDirectory(in: session) }

    /// Makes the default directory, which is ours; one that was named and is not there is a mistake, or a missing mount.
    /// What is made in it from now on is private.
    func prepareDirectory(in session: Session) throws {
        Directories.makeFilesPrivate()
        let directory = directory(in: session)
        if directory == Self.defaultDirectory(in: session) { try Directories.make(directory) }
    }

    static func defaultDirectory(in session: Session) -> String { "\(session.home)/.infrakit/configs" }

    /// The store, for a command: it never creates or migrates it.
    func open(in session: Session) -> Store { Self.store(in: storeDir, session) }

    /// The store, for a command that shows what it holds: a copy that is old says so.
    func openToRead(in session: Session) async throws -> Store {
        let store = open(in: session)
        let view = try await store.readerView(within: commandTimeout)
        if let untold = view.untold, let left = await AcknowledgedOutcomes.settle(untold, in: store) {
            session.standardError(AcknowledgedOutcomes.note(left))
        }
        guard let copy = view.copy else { return store }
        if let staleness = copy.staleness(at: session.now()) {
            let age = "was \(copy.reading(at: session.now()))"
            session.standardError(
                "note: this node's copy of the swarm's state \(copy.readAt == 0 ? "was never read" : age): "
                    + "\(staleness)\n"
            )
        }
        return store
    }

    /// - Parameter directory: nil for the default one.
    static func store(in directory: String?, _ session: Session) -> Store {
        let directory = directory ?? defaultDirectory(in: session)
        return Store.openForCommand(StoreConfiguration(path: StoreConfiguration.path(in: directory)))
    }
}

/// How results are written.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

struct OutputOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("table or json (INFRAKIT_OUTPUT)", valueName: "format"))
    var output = OutputFormat.table
}

/// Of the commands that ask the leader to change the configuration.
struct ChangeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Reason, recorded in the history", valueName: "text"))
    var message = ""

    @Option(help: ArgumentHelp("Refuse unless this is the current revision (0: no revision yet)", valueName: "rev"))
    var expectCurrent: Int?

    @Flag(help: "Show the changes and the plugin's plan; change nothing")
    var dryRun = false

    @Option(help: ArgumentHelp("How long to wait for the outcome", valueName: "duration"))
    var wait = GoDuration(.seconds(30))

    /// - Throws: ``Failure`` when another revision is the current one. The leader checks it again when it matters.
    func requireExpected(in store: Store) async throws {
        guard expectCurrent != nil else { return }
        try RevisionDraft.requireExpected(expectCurrent, try await store.summary(within: commandTimeout).current ?? 0)
    }
}

/// How long a command waits for a file system that does not answer.
let commandTimeout = Duration.seconds(20)
