import Glibc
import GroupSPI
import Store
import Swarm
import SwarmLabSupport
import Testing

/// Managers on the nodes of a real swarm.
@Suite(.serialized, .swarmLab) struct SwarmModeTests {
    @Test func everyNodeHasTheHistoryAndTakesCommands() async throws {
        try await SwarmWorld.with { swarm in
            try await swarm.startManagers()
            let (leader, _) = try await swarm.leader()
            let follower = try #require(swarm.hosts.first { $0.name != leader.name })
            try await leader.commit("web", 2)
            try await leader.commit("web", 3)

            // A follower refuses writes and names the leader, once it has looked.
            try await follower.waitUntilFollowing(leader)
            let spec = GroupSpec.sized("web", 9).json.raw.text
            let refusal = try await follower.infrakit("group", "commit", "-", input: spec)
            #expect(refusal.status != 0 && refusal.errors.contains("\(leader.name) leads"), "\(refusal)")

            try await swarm.copiesAgree()
            for host in swarm.hosts {
                let history = try await host.command("history")
                #expect(history.status == 0 && history.output.contains("2*"), "\(history)")
                let shown = try await host.command("show", "1")
                #expect(shown.output.contains("\"Size\":2"), "\(shown)")
                #expect(try await host.command("diff", "1", "2").status == 1)
                let status = try await host.command("status", "-o", "json")
                #expect(status.status == (host.name == leader.name ? 0 : 3), "\(status)")
                let json = try status.json()
                #expect(json.at("swarm", "leader")?.string == leader.name)
                #expect(json.at("swarm", "labelSize")?.int ?? 0 > 0)
                #expect(try await host.command("verify").output.contains("sound: 2 revisions"))
            }

            // What is asked on a node that does not lead is carried out by the one that does.
            let rollback = try await follower.command("rollback", "1", "--message", "from a follower")
            #expect(rollback.status == 0 && rollback.output.contains("revision 3"), "\(rollback)")
            #expect(leader.plugin.size(of: "web") == 2)
            let tag = try await follower.command("tag", "1", "first")
            #expect(tag.status == 0, "\(tag)")
            try await eventually("every node knows the tag") {
                for host in swarm.hosts {
                    guard try await host.command("rollback", "first").output.contains("nothing") else { return false }
                }
                return true
            }
            let stepDown = try await follower.command("step-down")
            #expect(stepDown.status == 1 && stepDown.errors.contains("docker node demote"), "\(stepDown)")
            let authors = try await follower.store.history(HistoryQuery(), within: .seconds(20)).revisions
            #expect(authors.allSatisfy { $0.author.user?.text == leader.userName }, "\(authors.map(\.author))")

            // What the plugin refuses does not stand in the label.
            leader.plugin.refuse("web", saying: "no such image")
            let bad = try await leader.infrakit("group", "commit", "-", input: spec)
            #expect(bad.status != 0 && bad.errors.contains("no such image"), "\(bad)")
            let groups = try await swarm.annotation().groups
            #expect(groups.map(\.spec) == [GroupSpec.sized("web", 2)])
        }
    }

    /// Four ways to lose the node that leads, again and again, while three clients write.
    @Test func nothingAcknowledgedIsLostAndNoTwoNodesAct() async throws {
        let rounds = getenv("SWARM_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 4
        try await SwarmWorld.with { swarm in
            try await swarm.startManagers()
            try await swarm.leader()
            let ledger = Ledger()
            var gaps: [Takeover] = []
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for writer in 0..<3 {
                    tasks.addTask { try await ledger.write(writer, swarm.hosts, every: .milliseconds(100)) }
                }
                for round in 0..<rounds {
                    let fault = Loss.allCases[round % Loss.allCases.count]
                    let before = ledger.entries.acknowledged.count
                    try await eventually("writes succeed before round \(round)", within: .seconds(60)) {
                        ledger.entries.acknowledged.count > before + 3
                    }
                    let old = try await swarm.leader()
                    let began = ContinuousClock.now
                    try await swarm.lab(fault.rawValue, old.host.name)
                    if let new = try await swarm.nextLeader(after: old.epoch, within: .seconds(60)) {
                        let gap = try await Takeover(fault, began, from: old.host, to: new, in: swarm.world.journal)
                        print("swarm lab: \(gap)")
                        gaps.append(gap)
                        try await swarm.lab(fault.remedy, old.host.name)
                    } else {
                        // A node was lost after another had been demoted and promoted: the Engines have elected a leader
                        // that takes no write until the lost one is back (docs/swarm.md).
                        print("swarm lab: \(fault): the swarm has taken no write for 60 s; bringing the node back")
                        try await swarm.lab(fault.remedy, old.host.name)
                        try await swarm.leader(after: old.epoch, within: .seconds(180))
                    }
                    try await swarm.isWhole()
                    try await old.host.waitUntilFollowingSomebody(otherThan: old.host.name)
                }
                ledger.end()
                try await tasks.waitForAll()
            }
            #expect(gaps.count * 2 > rounds, "the swarm could not be written in most rounds")
            for gap in gaps { #expect(gap.overlap == nil, "\(gap)") }

            try await swarm.copiesAgree()
            let snapshot = try #require(try await swarm.annotation().snapshot)
            let history = try await Self.mergedHistory(swarm)
            #expect(history.map(\.number) == Array(1...snapshot.newest))
            #expect(history.map(\.epoch) == history.map(\.epoch).sorted())
            ledger.expectAllOf(history)
            for host in swarm.hosts {
                let verdict = try await host.command("verify")
                #expect(verdict.status == 0, "\(verdict)")
            }
            // What stands is what the leader's plugin has, and nobody else has any of it.
            let leader = try await swarm.leader().host
            let standing = try await swarm.annotation().groups.map(\.spec)
            #expect(!standing.isEmpty)
            try await eventually("the leader's plugin has what stands, and the others nothing") {
                standing.allSatisfy { leader.plugin.spec(of: $0.id) == $0 }
                    && swarm.hosts.allSatisfy { $0.name == leader.name || $0.plugin.watched.isEmpty }
            }
        }
    }

    /// What others do to the label under a leader: nothing is lost, no number is given twice, and nobody's history is put aside.
    @Test func aLabelThatOthersRemoveEmptyPutBackOrWriteIsNoLoss() async throws {
        try await SwarmWorld.with { swarm in
            try await swarm.startManagers()
            let (leader, epoch) = try await swarm.leader()
            try await leader.commit("web", 1)
            let old = try await swarm.annotation().encoded().text
            try await leader.commit("web", 2)
            try await swarm.copiesAgree()
            let empty = try Annotation(groups: []).encoded().text
            for (index, text) in [nil, empty, old].enumerated() {
                try await swarm.put(text, through: leader.name)
                try await eventually("the leader writes the label again") {
                    try await swarm.annotation().snapshot?.newest == 2 + index
                }
                try await leader.commit("web", 3 + index)
            }
            #expect(try await swarm.leader().epoch == epoch)
            #expect(leader.plugin.size(of: "web") == 5)

            let spec = GroupSpec.sized("viaGo", 1)
            let standing = try await swarm.annotation().groups
            let plugin = try #require(standing.first).plugin
            try await swarm.put(
                try Annotation(groups: [GlobalConfig.Entry(spec: spec, plugin: plugin)] + standing).encoded().text,
                through: leader.name
            )
            let next = try await swarm.leader(after: epoch)
            try await eventually("what was written is the next revision, and runs") {
                try await swarm.annotation().snapshot?.newest == 6 && next.host.plugin.spec(of: "viaGo") == spec
            }
            try await swarm.copiesAgree()
            let history = try await Self.mergedHistory(swarm)
            #expect(history.map(\.number) == Array(1...6) && history.last?.operation == .import)
            for host in swarm.hosts { #expect(try await host.command("verify").output.contains("sound: 6 revisions")) }
        }
    }

    /// Every revision, from whichever copy has seen it; copies that have one agree on it.
    private static func mergedHistory(_ swarm: SwarmWorld) async throws -> [Revision] {
        var merged: [Int: Revision] = [:]
        for host in swarm.hosts {
            for revision in try await host.store.history(HistoryQuery(), within: .seconds(20)).revisions {
                if let other = merged[revision.number] {
                    #expect(other.hash == revision.hash, "revision \(revision.number) differs on \(host.name)")
                    if other.operation != .adopt { continue }
                }
                merged[revision.number] = revision
            }
        }
        return merged.values.sorted { $0.number < $1.number }
    }
}

/// How the node that leads is lost.
private enum Loss: String, CaseIterable {
    case kill, pause, cut, demote

    var remedy: String {
        switch self {
        case .kill: "start"
        case .pause: "resume"
        case .cut: "heal"
        case .demote: "promote"
        }
    }
}

/// What the plugins saw of one change of the leader.
private struct Takeover: CustomStringConvertible {
    let fault: Loss
    /// From the fault to the last group that the old leader's plugin let go.
    let freed: Duration
    /// From the fault to the first group that the new leader's plugin was told to watch.
    let watched: Duration

    init(_ fault: Loss, _ began: ContinuousClock.Instant, from old: Host, to new: Host, in journal: Journal)
        async throws
    {
        self.fault = fault
        let groups = 3
        let entries = try await eventually("\(old.name) lets its groups go and \(new.name) watches them") {
            let entries = journal.all.filter { $0.at >= began }
            let watched = Set(
                entries.filter { $0.host == new.name && $0.request.isWatch }.compactMap(\.request.groupID)
            )
            let freed = Set(entries.filter { $0.host == old.name && $0.request.isFree }.compactMap(\.request.groupID))
            return old.name == new.name || watched.count >= groups && freed.count >= groups ? entries : nil
        }
        freed = (entries.last { $0.host == old.name && ($0.request.isFree || $0.request.isAct) }?.at ?? began) - began
        watched = (entries.first { $0.host == new.name && $0.request.isWatch }?.at ?? began) - began
    }

    /// How long both plugins watched; nil when they did not.
    var overlap: Duration? { watched < freed ? freed - watched : nil }

    var description: String {
        "\(fault): groups let go after \(freed.inSeconds), watched by the next leader after \(watched.inSeconds)"
    }
}

extension Host {
    /// Waits until this host's manager follows another.
    fileprivate func waitUntilFollowingSomebody(otherThan name: String) async throws {
        try await eventually("\(self.name) follows another", within: .seconds(90)) {
            do throws(GroupError) {
                _ = try await call(.free(id: "nothing"), within: .seconds(30))
                return false
            } catch {
                return error.message.contains(" leads (epoch") && !error.message.contains("\(name) leads")
            }
        }
    }

    fileprivate var userName: String? { getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } }
}

extension Trait where Self == ConditionTrait {
    static var swarmLab: Self {
        .enabled("there is a swarm lab here") {
            if let hindrance = SwarmLab.hindrance { print("SKIPPED: swarm lab: \(hindrance)") }
            return SwarmLab.hindrance == nil
        }
    }
}
