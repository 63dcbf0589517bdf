import Glibc
import GroupSPI
import Logging
import Manager
import NIOPosix
import PluginRPC
import Synchronization
import Testing

@testable import CLI
@testable import Store

/// Whom a command tells that its request waits, and what becomes of it when nobody listens.
@Suite struct LeaderNotifierTests {
    /// A leader that looks for requests, and stores outcomes, when it is told to, and at no other time.
    private final class Leader: GroupEndpoint, ManagerEndpoint {
        private let scene: Scene
        private let leads: Bool
        private let count = Mutex(0)
        var rings: Int { count.withLock { $0 } }

        init(_ scene: Scene, leads: Bool = true) {
            (self.scene, self.leads) = (scene, leads)
        }

        func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply { .ok }
        func isLeader() async -> Bool { leads }
        func leaderLocation() async -> String? { nil }
        func specs(within limit: Duration?) async throws(GroupError) -> [GroupSpec] { [] }
        func status() async -> JSON { [:] }
        func findLoop(through managers: [Identifier]) async -> Bool? { false }

        func storeOutcomes() async -> Bool {
            count.withLock { $0 += 1 }
            guard leads else { return false }
            do {
                let fence = try await scene.fence()
                let pending = try await scene.store.summary(within: patience).pending
                for number in pending {
                    let revision = try #require(try await scene.store.revision(number, within: patience))
                    let outcomes = revision.changes.filter { $0.error == nil }
                        .map { Outcome(revision: number, group: $0.group, status: .applied) }
                    try await scene.store.recordOutcomes(outcomes, fence: fence, within: patience)
                }
            } catch {
                Issue.record(error)
            }
            return true
        }

        func lookForRequests() async -> Bool {
            count.withLock { $0 += 1 }
            guard leads else { return false }
            do {
                let fence = try await scene.fence()
                for request in try await scene.store.waitingRequests(within: patience) {
                    try await scene.store.finishRequest(
                        request.id,
                        state: .done,
                        error: nil,
                        fence: fence,
                        within: patience
                    )
                }
            } catch {
                Issue.record(error)
            }
            return true
        }
    }

    private func withLeader(
        leads: Bool = true,
        bootID: String = ProcessIdentity.current().bootID,
        _ body: (Scene, Leader) async throws -> Void
    ) async throws {
        try await Scene.scripted { scene in
            let socket = "\(scene.directory)/plugins/group"
            _ = try await scene.lead("n3/group", minute: 59, reason: "", bootID: bootID, socket: socket)
            let leader = Leader(scene, leads: leads)
            let server = try await PluginServer.start(
                ServedPlugin(name: "group", group: leader, manager: leader),
                at: socket,
                group: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "leader") { _ in SwiftLogNoOpLogHandler() }
            )
            do {
                try await body(scene, leader)
            } catch {
                await server.stop(grace: .zero)
                throw error
            }
            await server.stop(grace: .zero)
        }
    }

    /// The call has little time, which a busy machine may not give: then the command asks again here. A leader that is never
    /// told never answers.
    @Test func aLeaderOfThisHostIsTold() async throws {
        try await withLeader { scene, leader in
            for verb in ["rollback 12 --wait 2s", "step-down --wait 2s"] {
                let before = leader.rings
                var finished = await scene.run(verb)
                for _ in 0..<30 where finished.status != .done { finished = await scene.run(verb) }
                #expect(finished.status == .done, "\(finished)")
                #expect(leader.rings > before)
            }
        }
    }

    @Test func aLeaderOfAnotherHostIsNot() async throws {
        try await withLeader(bootID: "another boot") { scene, leader in
            let finished = await scene.run("rollback 12 --wait 300ms")
            #expect(finished.status == .noLeader, "\(finished)")
            #expect(leader.rings == 0)
        }
    }

    @Test func whoDoesNotLeadChangesNothing() async throws {
        try await withLeader(leads: false) { scene, leader in
            let finished = await scene.run("rollback 12 --wait 300ms")
            #expect(finished.status == .noLeader, "\(finished)")
            #expect(leader.rings <= 1)
        }
    }

    /// The leader has told its user that it is applied, and would store that a moment later.
    @Test func whatWasAcknowledgedReadsAsApplied() async throws {
        try await withLeader { scene, leader in
            for (number, verb) in [(13, "history -n 1 -o json"), (14, "status -o json"), (15, "doctor -o json")] {
                let group = Change.set("g1", #"{"Allocation":{"Size":\#(number)}}"#, .pending)
                try await scene.append(number, [group], fence: try await scene.fence())
                let finished = await scene.run(verb)
                #expect(try await scene.store.revision(number, within: patience)?.status == .applied, "\(finished)")
                if number == 13 { #expect(finished.output.contains(#""status": "applied""#), "\(finished)") }
            }
            // What is pending for a reason, or of a term that is over, nobody was told to be applied.
            let rings = leader.rings
            let known = Change.set("g2", #"{"Allocation":{"Size":1}}"#, .pending, error: "no answer")
            try await scene.append(16, [known], fence: try await scene.fence())
            _ = await scene.run("history -n 1")
            #expect(leader.rings == rings)
        }
    }

    /// Also of revisions that come while somebody looks on.
    @Test func whatIsAcknowledgedLaterReadsAsApplied() async throws {
        try await withLeader { scene, leader in
            let lines = Mutex("")
            let (first, next) = AsyncStream.makeStream(of: Void.self)
            let writer = Task {
                for await _ in first { break }
                let group = Change.set("g1", #"{"Allocation":{"Size":13}}"#, .pending)
                try await scene.append(13, [group], fence: try await scene.fence())
            }
            let finished = await scene.run(
                "history --follow -n 1 -o jsonl",
                hasReader: { lines.withLock { !$0.contains(#""revision":13"#) } },
                output: { line in
                    lines.withLock { $0 += line }
                    next.yield()
                }
            )
            try await writer.value
            let line = try #require(finished.output.split(separator: "\n").last)
            #expect(line.contains(#""revision":13"#) && line.contains(#""status":"applied""#), "\(finished)")
        }
    }

    /// A leader out of reach stores it a moment later. Where it has not, whoever reads is told that they may have been told otherwise.
    @Test func whatALeaderElsewhereMayHaveAcknowledgedIsSaid() async throws {
        try await withLeader(bootID: "another boot") { scene, leader in
            let group = Change.set("g1", #"{"Allocation":{"Size":13}}"#, .pending)
            try await scene.append(13, [group], fence: try await scene.fence())
            for verb in ["history -n 1", "status", "show 13"] {
                let said = await scene.run(verb)
                #expect(
                    said.errors.contains("note: the outcome of revision 13 is not stored yet; n3/group on"),
                    "\(said)"
                )
            }
            // What came after the first look is not waited for.
            let lease = try await scene.store.lease(within: patience)
            let earlier = UntoldOutcomes(leader: lease, first: 12, newest: 12)
            #expect(await AcknowledgedOutcomes.settle(earlier, in: scene.store) == nil)
            async let later = scene.run("history -n 1 -o json")
            let outcome = Outcome(revision: 13, group: "g1", status: .applied)
            try await scene.store.recordOutcomes([outcome], fence: try await scene.fence(), within: patience)
            _ = await later
            let finished = await scene.run("history -n 1 -o json")
            #expect(finished.errors.isEmpty && finished.output.contains(#""status": "applied""#), "\(finished)")
            #expect(leader.rings == 0)
        }
    }

    /// Nobody listens, something else is there, or a process that stands still takes connections: as if there were no socket.
    @Test(arguments: ["nothing", "a file", "silence"]) func aSocketThatDoesNotAnswerChangesNothing(
        _ what: String
    ) async throws {
        try await Scene.scripted { scene in
            let path = "\(scene.directory)/plugins/group"
            let boot = ProcessIdentity.current().bootID
            _ = try await scene.lead("n3/group", minute: 59, reason: "", bootID: boot, socket: path)
            if what == "a file" { close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)) }
            let descriptor = what == "silence" ? try listen(path) : -1
            defer { if descriptor >= 0 { close(descriptor) } }
            let finished = try await scene.withLeader({ _ in .nothingToDo }) {
                await scene.run("rollback 12 --wait 60s")
            }
            #expect(finished.status == .done, "\(finished)")
        }
    }

    /// That is not the same as no manager.
    @Test func aManagerThatDoesNotAnswerInTimeIsNotNone() async throws {
        try await Scene.scripted { scene in
            let descriptor = try listen("\(scene.directory)/plugins/group")
            defer { close(descriptor) }
            async let doctor = scene.run("doctor")
            let status = await scene.run("status")
            let words = "on this host accepts connections but does not answer in time"
            #expect(status.output.contains("a manager \(words)"), "\(status)")
            #expect(await doctor.output.contains("the manager 'group' \(words)"))
        }
    }

    /// A socket whose connections nobody accepts.
    private func listen(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        try #require(path.utf8.count < room)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0 && Glibc.listen(descriptor, 1) == 0)
        return descriptor
    }
}
