public import Manager
internal import SeededRandom
internal import Store
public import Swarm

extension SwarmStore: StateStore {}

extension World {
    /// The store of a manager in swarm mode, with the settings that `infrakit-manager swarm` has.
    func openSwarmStore(
        of replica: SimulatedReplica,
        _ process: SimulatedProcess,
        _ swarm: SimulatedSwarm,
        _ node: SimulatedSwarm.Node,
        holderIsGone: @escaping @Sendable (Lease) -> Bool
    ) async throws(StoreError) -> SwarmStore {
        let election = plan.election
        var settings = SwarmStoreSettings(
            detector: SwarmDetectorSettings(
                limit: election.renewDeadline,
                settling: election.ttl + election.pollInterval / 2
            ),
            past: HistoryImage.Limits(records: plan.labelRecords)
        )
        settings.swap.limit = election.renewDeadline
        settings.noteInterval = election.pollInterval * 3
        settings.verifyInterval = election.ttl
        return try await SwarmStore.open(
            SimulatedReplicaFile(self, replica.disk, "the copy of \(replica.name)"),
            engine: SimulatedEngine(
                world: self,
                swarm: swarm,
                node: node,
                process: process,
                address: .simulated
            ),
            clock: SwarmClock(self, process, node.host),
            rules: broken?.swarmRules ?? SwarmRules(),
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

extension SwarmClock {
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
    fileprivate var swarmRules: SwarmRules {
        var rules = SwarmRules()
        switch self {
        case .strangeLabelEmptied:
            rules.find = { content, label, known in
                switch LabelFinding(content, label: label, known: known) {
                case .lost(.gone), .lost(.emptied):
                    // The epoch at least is remembered.
                    .current(HistoryImage(lease: known?.lease ?? .none))
                case let finding: finding
                }
            }
        case .olderLabelLed:
            rules.find = { content, label, known in
                guard case .ours(let image) = content, case .lost = LabelFinding(content, label: label, known: known)
                else {
                    return LabelFinding(content, label: label, known: known)
                }
                return .current(image)
            }
        case .lateSwapDoubled: rules.isGone = { _, _ in true }
        default: break
        }
        return rules
    }
}
