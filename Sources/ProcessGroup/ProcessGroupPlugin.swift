public import GroupSPI
public import Logging

/// The built-in group plugin: keeps `Allocation.Size` copies of a command running on this host.
///
///     {"Allocation": {"Size": 3},
///      "Instance": {"Plugin": "process", "Properties": {"Command": ["sleep", "1000"]}}}
///
/// The processes outlive the plugin. After its own restart it watches no group until it is told to, which is its
/// caller's business, but it finds its processes again and adopts them when their group is watched.
public actor ProcessGroupPlugin: GroupEndpoint {
    private let options: ProcessGroupOptions
    private let directory: StateDirectory
    private let host: HostEnvironment
    private let logger: Logger

    private var supervisors: [String: GroupSupervisor] = [:]
    /// Hands new supervisors to ``run()``.
    private let arrivals: AsyncStream<GroupSupervisor>
    private let arrival: AsyncStream<GroupSupervisor>.Continuation

    /// Finds the processes of an earlier run.
    ///
    /// - Parameters:
    ///   - stateDirectory: where it keeps what it must find again, and the logs
    ///     (`logs/GROUP/INSTANCE.log`). Made when it does not exist. One plugin at a time may use it.
    ///   - options: how patient the plugin is.
    ///   - environment: what every process inherits; nil for the environment of this process.
    ///   - logger: takes what happens to the processes.
    /// - Throws: ``ProcessGroupError``.
    public init(
        stateDirectory: String,
        options: ProcessGroupOptions = ProcessGroupOptions(),
        environment: [String: String]? = nil,
        logger: Logger
    ) throws(ProcessGroupError) {
        self.options = options
        self.logger = logger
        host = environment.map { HostEnvironment(variables: $0) } ?? .inherited()
        do throws(SystemError) {
            directory = try StateDirectory(path: stateDirectory, maximumLogSize: options.maximumLogSize)
        } catch {
            throw ProcessGroupError(stateDirectory: stateDirectory, error)
        }
        (arrivals, arrival) = AsyncStream.makeStream()

        let found = Dictionary(grouping: Self.survivors(directory, logger), by: \.group)
        for (id, records) in found {
            let supervisor = GroupSupervisor(
                id: id,
                found: records,
                options: options,
                directory: directory,
                host: host,
                logger: logger
            )
            supervisors[id] = supervisor
            arrival.yield(supervisor)
        }
    }

    /// The records whose process still runs; the others are removed.
    private static func survivors(_ directory: StateDirectory, _ logger: Logger) -> [InstanceRecord] {
        directory.records(logger: logger).compactMap { record in
            var record = record
            if record.process == nil {
                record.process = ProcessTable.sessionLeader(withEnvironment: "INFRAKIT_INSTANCE=\(record.id)")
            }
            guard let process = record.process, ProcessTable.isAlive(process) else {
                directory.remove(record)
                return nil
            }
            logger.info(
                "Found a running process",
                metadata: [
                    "group.id": "\(record.group)", "instance.id": "\(record.id)", "process.pid": "\(process.pid)",
                ]
            )
            return record
        }
    }

    /// Supervises the groups until the task is cancelled, and then leaves the processes running.
    ///
    /// To be called once. Afterwards every change is refused, and another plugin may use the state directory.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await supervisor in arrivals {
                group.addTask { await supervisor.run() }
            }
        }
        directory.close()
    }

    public func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        switch request {
        case .watch(let spec):
            let spec = try ProcessGroupSpec(spec)
            try await supervisor(spec.id).watch(spec)
        case .update(let spec):
            let spec = try ProcessGroupSpec(spec)
            try await known(spec.id).update(spec)
        case .describeUpdate(let spec):
            let spec = try ProcessGroupSpec(spec)
            return .plan(try await known(spec.id).describeUpdate(spec))
        case .commit(let spec, let pretend):
            let spec = try ProcessGroupSpec(spec)
            return .details(try await supervisor(spec.id).commit(spec, pretend: pretend))
        case .stopUpdate(let id):
            try await known(id).stopUpdate()
        case .unwatch(let id), .free(let id):
            try await known(id).release()
        case .destroy(let id):
            try await known(id).destroy()
        case .describe(let id):
            return .description(try await known(id).describe())
        case .size(let id):
            return .size(try await known(id).size())
        case .setSize(let id, let size):
            try await known(id).setSize(size)
        case .destroyInstances(let id, let instances):
            try await known(id).destroyInstances(instances)
        case .inspect:
            return .groups(supervisors.values.compactMap(\.watchedSpec).sorted { $0.id < $1.id })
        }
        return .ok
    }

    private func known(_ id: String) throws(GroupError) -> GroupSupervisor {
        guard let supervisor = supervisors[id] else { throw .notWatched(id) }
        return supervisor
    }

    private func supervisor(_ id: String) throws(GroupError) -> GroupSupervisor {
        if let supervisor = supervisors[id] { return supervisor }
        let supervisor = GroupSupervisor(
            id: id,
            found: [],
            options: options,
            directory: directory,
            host: host,
            logger: logger
        )
        // `run` has ended: nobody would look after the group.
        if case .terminated = arrival.yield(supervisor) { throw GroupError(.unreachable, "The plugin is stopping") }
        supervisors[id] = supervisor
        return supervisor
    }
}
