internal import Manager
internal import Replication
internal import SeededRandom
internal import Store
internal import Swarm

extension World {
    /// The store of a manager in swarm mode, with the settings that `infrakit-manager swarm` has.
    func openSwarmStore(
        of replica: SimulatedReplica,
        _ process: SimulatedProcess,
        _ swarm: SimulatedSwarm,
        _ node: SimulatedSwarm.Node,
        holderIsGone: @escaping @Sendable (Lease) -> Bool
    ) async throws(StoreError) -> ReplicatedStore {
        let election = plan.election
        var settings = SwarmStore.Settings(
            detector: SwarmDetectorSettings(
                limit: election.renewDeadline,
                settling: election.ttl + election.pollInterval / 2
            ),
            replication: ReplicationSettings(past: Snapshot.Limits(records: plan.labelRecords))
        )
        settings.replication.swap.limit = election.renewDeadline
        settings.replication.noteInterval = election.pollInterval * 3
        settings.replication.verifyInterval = election.ttl
        return try await SwarmStore.open(
            SimulatedReplicaFile(self, replica.disk, "the copy of \(replica.name)"),
            engine: SimulatedEngine(
                world: self,
                swarm: swarm,
                node: node,
                process: process,
                address: .simulated
            ),
            clock: ReplicationClock(self, process, node.host),
            rules: broken?.swarmRules ?? ReplicationRules(),
            settings: settings,
            logger: logger(process),
            holderIsGone: holderIsGone
        )
    }
}

extension EngineAddress {
    fileprivate static let simulated: EngineAddress = {
        do {
            return try EngineAddress("unix:///run/docker.sock", isSecure: false)
        } catch {
            preconditionFailure("\(error)")
        }
    }()
}

extension ReplicationClock {
    private static let beginning = ContinuousClock.now

    fileprivate init(_ world: World, _ process: SimulatedProcess, _ host: SimulatedHost) {
        self.init()
        let clock = SimulatedClock(process: process, host: host)
        now = { Self.beginning + .nanoseconds(clock.now().nanoseconds) }
        wall = { clock.wallTime() }
        sleep = { try await clock.sleep(until: clock.now() + $0) }
        jitter = { $0 * world.random.below(1001) / 1000 }
    }
}

extension BrokenRule {
    fileprivate var swarmRules: ReplicationRules {
        var rules = ReplicationRules()
        switch self {
        case .strangeLabelEmptied:
            rules.find = { content, isLegacy, known in
                switch RegisterFinding(content, isLegacy: isLegacy, known: known) {
                case .lost(.gone), .lost(.emptied):
                    // The epoch at least is remembered.
                    .current(Snapshot(lease: known?.lease ?? .none))
                case let finding: finding
                }
            }
        case .olderLabelLed:
            rules.find = { content, isLegacy, known in
                guard case .ours(let snapshot) = content,
                    case .lost = RegisterFinding(content, isLegacy: isLegacy, known: known)
                else {
                    return RegisterFinding(content, isLegacy: isLegacy, known: known)
                }
                return .current(snapshot)
            }
        default: break
        }
        return rules
    }
}
