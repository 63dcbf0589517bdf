internal import GroupSPI
internal import ManagerModels
internal import Replication
internal import SeededRandom
internal import Store
internal import Swarm

/// A Docker Swarm whose managers are the hosts: the swarm object with its labels, and who leads, as measured with real Engines
/// (docs/swarm.md).
final class SimulatedSwarm: @unchecked Sendable {
    /// What a node is kept from.
    enum Trouble {
        case none, cut, hanging
    }

    final class Node: @unchecked Sendable {
        let host: SimulatedHost
        var trouble = Trouble.none
        /// When that began, in true time.
        var since = 0
        /// What it told last before it was kept from it.
        var past: (version: UInt64, spec: SwarmSpec, leads: Bool)?
        /// It goes on after a standstill, and tells once more what was so before.
        var isWaking = false

        init(_ host: SimulatedHost) { self.host = host }

        var isWell: Bool { trouble == .none && !host.isOff && !host.isSuspended }
    }

    private unowned let world: World
    let nodes: [Node]
    private var version: UInt64 = 10
    private var spec: SwarmSpec
    private(set) var leader = 0
    /// What the label was, the newest last.
    private var texts: [String] = []
    /// Somebody has made less of the label than there was.
    private(set) var isLost = false
    private var isElecting = false
    private var strangers = 0

    /// A cut leader sees by its own list that it is alone after so long; others elect after that.
    private static let blindness = 2_000_000_000

    init(_ world: World) {
        self.world = world
        nodes = world.hosts.map { Node($0) }
        spec = Self.emptySpec
    }

    private static let emptySpec: SwarmSpec = {
        do {
            return try SwarmSpec(RawJSON(checked: Array("{\"Labels\":{}}".utf8)))
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    func node(on host: SimulatedHost) -> Node? { nodes.first { $0.host === host } }

    private func index(of node: Node) -> Int { nodes.firstIndex { $0 === node } ?? 0 }

    // MARK: - Who leads

    /// - Parameter trouble: of a node, until it is taken away.
    func set(_ trouble: Trouble, on node: Node) {
        guard node.trouble != trouble else { return }
        if node.trouble == .none {
            node.past = (version, spec, leader == index(of: node))
            node.since = world.scheduler.now
        } else if trouble == .none {
            node.isWaking = node.trouble == .hanging && node.past?.leads == true
        }
        node.trouble = trouble
        world.note("the Engine of \(node.host.name): \(trouble)")
        electIfNeeded()
    }

    /// The office moves at once, as when the leader is demoted: it knows.
    func moveOffice() {
        let well = nodes.indices.filter { $0 != leader && nodes[$0].isWell }
        guard nodes[leader].isWell, !well.isEmpty else { return }
        appoint(well[world.random.below(well.count)])
    }

    /// More than half of them see each other.
    private var hasQuorum: Bool { nodes.count { $0.isWell } * 2 > nodes.count }

    /// Whoever has lost its leader elects another, later than that one knows of it.
    func electIfNeeded() {
        guard !isElecting, !nodes[leader].isWell, hasQuorum else { return }
        isElecting = true
        let delay = Self.blindness + world.random.within(1_000_000_000...8_000_000_000)
        world.scheduler.plan(after: delay, for: world.scheduler.world) { [self] in
            isElecting = false
            let well = nodes.indices.filter { nodes[$0].isWell }
            guard !nodes[leader].isWell, hasQuorum, let next = well.randomElement(using: &world.random) else {
                return electIfNeeded()
            }
            appoint(next)
        }
    }

    private func appoint(_ next: Int) {
        leader = next
        version += 1
        world.note("\(nodes[next].host.name) leads the swarm")
    }

    /// What a node says of itself: nil when it says nothing.
    func standing(of node: Node) -> (leads: Bool, seesMajority: Bool, leader: Int?)? {
        let own = index(of: node)
        if node.isWaking {
            node.isWaking = false
            return (true, true, own)
        }
        switch node.trouble {
        case .hanging: return nil
        case .cut:
            let isBlind = world.scheduler.now - node.since >= Self.blindness
            guard node.past?.leads == true, nodes.count > 1 else { return (false, false, nil) }
            return (true, !isBlind, own)
        case .none:
            electIfNeeded()
            guard nodes[leader].isWell, hasQuorum else { return (leader == own, false, leader == own ? own : nil) }
            return (leader == own, true, leader)
        }
    }

    // MARK: - The swarm object

    func read(by node: Node) -> SwarmObject? {
        if node.trouble == .cut, let past = node.past {
            return SwarmObject(id: "swarm", version: past.version, spec: past.spec)
        }
        return SwarmObject(id: "swarm", version: version, spec: spec)
    }

    /// - Returns: false when the version is another.
    func update(_ new: SwarmSpec, version named: UInt64, by process: SimulatedProcess) -> Bool {
        guard named == version else {
            world.trace.note(world.scheduler.now, process) { "swarm: update of \(named) → out of sequence" }
            return false
        }
        let before = spec.label(Annotation.label)
        spec = new
        version += UInt64(world.random.within(1...3))
        let text = spec.label(Annotation.label)
        if let text, text != before { written(text, by: process) }
        return true
    }

    private func written(_ text: String, by process: SimulatedProcess) {
        texts.append(text)
        if texts.count > 8 { texts.removeFirst(1 + world.random.below(6)) }
        isLost = false
        do {
            guard let snapshot = try Annotation(label: text).snapshot else {
                return world.checker.fail("\(process.name) writes a label without a history")
            }
            world.file.written(snapshot, by: process)
        } catch {
            world.checker.fail("\(process.name) writes a label that cannot be read: \(error)")
        }
    }

    // MARK: - Others

    /// Somebody else writes the label, when every node has what there is: what one alone knows could not come back
    /// (docs/swarm.md).
    func strike(_ disks: [SimulatedDisk]) {
        let history = world.file.model
        guard let text = spec.label(Annotation.label), let known = try? Annotation(label: text), known.snapshot != nil,
            disks.allSatisfy({ $0.hasAll(of: history) })
        else { return }
        let strange: String?
        let deed: String
        switch world.random.below(6) {
        case 0: (strange, deed) = (nil, "removed")
        case 1: (strange, deed) = (try? Annotation(groups: []).encoded().text, "emptied")
        case 2: (strange, deed) = (texts.randomElement(using: &world.random), "put back to what it was")
        case 3: (strange, deed) = (try? Annotation(groups: known.groups).encoded().text, "written without its history")
        case 4: (strange, deed) = (try? Annotation(groups: known.groups.dropLast()).encoded().text, "written with less")
        default:
            strangers += 1
            let properties = RawJSON(checked: Array("{\"Version\":\"strange \(strangers)\"}".utf8))
            let entry = GlobalConfig.Entry(spec: GroupSpec(id: "z", properties: properties), plugin: "group-stateless")
            (strange, deed) = (
                try? Annotation(groups: known.groups.filter { $0.spec.id != "z" } + [entry]).encoded().text,
                "written with another group"
            )
        }
        guard strange != text else { return }
        world.note("somebody has the label \(deed)")
        isLost = true
        version += 1
        spec = strange.map { spec.setting(label: Annotation.label, to: $0) } ?? without(Annotation.label)
    }

    private func without(_ name: String) -> SwarmSpec {
        let requests = spec.label(RequestQueue.label)
        return requests.map { Self.emptySpec.setting(label: RequestQueue.label, to: $0) } ?? Self.emptySpec
    }

    /// Somebody changes the swarm, and no label.
    func touch() { version += 1 }

    /// Nothing is wrong any more: the one that leads has a copy from which it can go on.
    func calmDown(_ disks: [SimulatedDisk]) {
        for node in nodes { set(.none, on: node) }
        let history = world.file.model
        // A person moves damaged copies away where nobody has ever led.
        if history.lease.epoch == 0 { for disk in disks { disk.tidyUp() } }
        let best = disks.first { $0.hasAll(of: history) }
        guard isLost, let best, let next = nodes.firstIndex(where: { $0.host === best.host }) else { return }
        if !disks.contains(where: { $0.host === nodes[leader].host && $0.hasAll(of: history) }) { appoint(next) }
    }
}
