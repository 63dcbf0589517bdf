import GroupSPI
import Store
import Swarm
import SwarmLabSupport
import Testing

/// A real swarm of three managers, and on each of their nodes a manager of ours with a plugin of its own.
struct SwarmWorld {
    let world: World
    let lab: SwarmLab
    let hosts: [Host]

    static func with(_ body: (SwarmWorld) async throws -> Void) async throws {
        do {
            try await SwarmLab.run { lab in
                try await World.with { world in
                    var hosts: [Host] = []
                    for name in SwarmLab.managers {
                        hosts.append(try await world.host(name, engine: lab.socket(name)))
                    }
                    try await body(SwarmWorld(world: world, lab: lab, hosts: hosts))
                }
            }
        } catch let trouble as SwarmLab.Trouble where trouble.isAbsent {
            try Test.cancel("SKIPPED: \(trouble)")
        }
    }

    func startManagers(_ words: [String] = []) async throws {
        for host in hosts { try await host.startManager(words) }
    }

    func host(_ name: String) throws -> Host { try #require(hosts.first { $0.name == name }) }

    /// Waits for a manager that leads and has read what stands, as it says itself.
    @discardableResult
    func leader(
        after epoch: Int = 0,
        within limit: Duration = .seconds(90),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> (host: Host, epoch: Int) {
        try await eventually(
            "a manager leads in an epoch after \(epoch)",
            within: limit,
            sourceLocation: sourceLocation
        ) {
            await findLeader(after: epoch)
        }
    }

    /// - Returns: nil when nobody has taken over by then.
    func nextLeader(after epoch: Int, within limit: Duration) async throws -> Host? {
        try await found(within: limit) { await findLeader(after: epoch)?.host }
    }

    private func findLeader(after epoch: Int) async -> (host: Host, epoch: Int)? {
        for host in hosts {
            guard let lease = try? await host.store.lease(within: .seconds(5)), lease.epoch > epoch,
                lease.holder.text == host.name, host.hasLoaded(epoch: lease.epoch)
            else { continue }
            return (host, lease.epoch)
        }
        return nil
    }

    /// Waits until all three are managers again and see each other, at many looks in a row: the swarm survives the loss of
    /// one then, as a rule.
    func isWhole(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var looks = 0
        try await eventually("the swarm is whole", within: .seconds(120), sourceLocation: sourceLocation) {
            looks = try await looksWhole() ? looks + 1 : 0
            return looks == 100
        }
    }

    private func looksWhole() async throws -> Bool {
        for node in SwarmLab.managers {
            let client = try lab.client(node)
            let info = try? await client.info()
            let nodes = try? await client.nodes()
            await client.shutdown()
            guard info?.isManager == true, info?.trouble.isEmpty == true,
                nodes?.compactMap(\.manager).count(where: \.isReachable) == SwarmLab.managers.count
            else { return false }
        }
        return true
    }

    /// What the label of the swarm holds, read through any node that tells.
    func annotation() async throws -> Annotation {
        try await eventually("the label can be read") {
            for node in SwarmLab.managers {
                let client = try lab.client(node)
                let snapshot = try? await LabelStore(client).read()
                await client.shutdown()
                if let annotation = try snapshot?.annotation() { return annotation }
            }
            return nil
        }
    }

    /// Writes the label as any other client of the swarm does; nil removes it.
    func put(_ text: String?, through node: String) async throws {
        let client = try lab.client(node)
        do {
            try await eventually("somebody writes the label") {
                let object = try await client.swarm()
                var spec = object.spec
                if let text {
                    spec = spec.setting(label: Annotation.label, to: text)
                } else {
                    let member = "\"\(Annotation.label)\":\"\(spec.label(Annotation.label) ?? "")\""
                    let rest = spec.raw.text.replacing(",\(member)", with: "").replacing("\(member),", with: "")
                    spec = try SwarmSpec(try RawJSON(rest.replacing(member, with: "")))
                }
                return (try? await client.update(spec, version: object.version)) != nil
            }
            await client.shutdown()
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Waits until every copy has all that the label holds.
    func copiesAgree() async throws {
        try await eventually("every copy has what the label holds", within: .seconds(60)) {
            let snapshot = try #require(try await annotation().snapshot)
            for host in hosts {
                guard let found = try? await host.store.revision(snapshot.newest, within: .seconds(5)),
                    found.hash == snapshot.hash
                else { return false }
            }
            return true
        }
    }
}
