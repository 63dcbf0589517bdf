public import GroupSPI
public import Logging
internal import Platform

/// The built-in group plugin: keeps `Allocation.Size` copies of a command running on this host.
///
///     {"Allocation": {"Size": 3},
///      "Instance": {"Plugin": "process", "Properties": {"Command": ["sleep", "1000"]}}}
///
/// The processes outlive the plugin, and its interest in them: what runs when a group is freed goes on, and is adopted
/// by whichever plugin watches the group next. That may be this one, this one after a restart, or another one on this
/// host with the same state directory, which is how a group stays up when another manager takes the lead. Two plugins
/// never watch one group at the same time; see `StateDirectory`.
///
/// A plugin that starts watches no group until it is told to, which is its caller's business. It only carries through
/// what had been told to end.
public actor ProcessGroupPlugin: GroupEndpoint {
    private let options: ProcessGroupOptions
    private let directory: StateDirectory
    private let host: HostEnvironment
    private let logger: Logger

    private var supervisors: [Identifier: GroupSupervisor] = [:]
    /// Hands new supervisors to ``run()``.
    private let arrivals: AsyncStream<GroupSupervisor>
    private let arrival: AsyncStream<GroupSupervisor>.Continuation

    /// - Parameters:
    ///   - stateDirectory: where it keeps what it must find again, and the logs
    ///     (`logs/GROUP/INSTANCE.log`). Made when it does not exist. Plugins of one host may share it.
    ///   - options: how patient the plugin is.
    ///   - environment: what every process inherits; nil for `HostEnvironment/inheritedNames` of this one's.
    ///   - logger: takes what happens to the processes.
    /// - Throws: ``ProcessGroupError``.
    public init(
        stateDirectory: String,
        options: ProcessGroupOptions = ProcessGroupOptions(),
        environment: [Identifier: String]? = nil,
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

        for id in directory.groupsWithDoomed() {
            let supervisor = GroupSupervisor(
                id: id,
                finishesDoomed: true,
                options: options,
                directory: directory,
                host: host,
                logger: logger
            )
            supervisors[id] = supervisor
            arrival.yield(supervisor)
        }
    }

    /// Supervises the groups until the task is cancelled, and then leaves the processes running.
    ///
    /// To be called once. Afterwards every change is refused, and another plugin may watch the groups.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await supervisor in arrivals {
                group.addTask { await supervisor.run() }
            }
        }
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

    private func known(_ id: Identifier) throws(GroupError) -> GroupSupervisor {
        guard let supervisor = supervisors[id] else { throw .notWatched(id) }
        return supervisor
    }

    private func supervisor(_ id: Identifier) throws(GroupError) -> GroupSupervisor {
        if let supervisor = supervisors[id] { return supervisor }
        let supervisor = GroupSupervisor(
            id: id,
            finishesDoomed: false,
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
