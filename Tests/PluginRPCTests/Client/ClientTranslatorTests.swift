import GroupSPI
import Synchronization
import Testing

@testable import PluginRPC

@Suite("What was learned of a plugin is not believed for ever")
struct ClientTranslatorTests {
    /// Answers `{}` to the methods it knows.
    private final class KnowingLink: Link {
        let dialect = PeerDescription.Dialect.http
        let isOpen = true
        let replyCount = 0
        private let methods: Set<String>
        private let state = Mutex([String]())

        init(_ methods: Set<String>) { self.methods = methods }

        var asked: [String] { state.withLock { $0 } }

        func exchange(_ call: WireCall) async throws(LinkError) -> ReplyEnvelope {
            state.withLock { $0.append(call.method) }
            guard methods.contains(call.method) else {
                return ReplyEnvelope(id: 1, outcome: .error("rpc: can't find method \"\(call.method)\""))
            }
            let groups = RawJSON(checked: Array(#"{"Groups":null}"#.utf8))
            return ReplyEnvelope(id: 1, outcome: .result(JSONView(groups)))
        }

        func close() {}
        func closed() async {}
    }

    private func carryOut(_ request: GroupRequest, on peer: Peer) async -> Result<GroupReply, LinkError> {
        do throws(LinkError) {
            let journey = Journey(isReadOnly: false)
            return .success(try await GenerationTranslator(peer: peer, journey: journey).carryOut(request))
        } catch {
            return .failure(error)
        }
    }

    @Test("when the other generation's method is missing too")
    func asksAfresh() async {
        let link = KnowingLink(["Group.InspectGroups", "Group.WatchGroup"])
        let peer = Peer(link: link, identity: nil)
        peer.methods.add(missing: "Group.WatchGroup")
        #expect(await carryOut(.watch(.text("x")), on: peer) == .success(.ok))
        #expect(link.asked == ["Group.InspectGroups", "Group.CommitGroup", "Group.WatchGroup"])
        #expect(await carryOut(.watch(.text("x")), on: peer) == .success(.ok))
        #expect(link.asked.count == 4)
    }

    @Test("but asked once more only")
    func asksOnce() async {
        let link = KnowingLink([])
        let peer = Peer(link: link, identity: nil)
        for round in 1...3 {
            let outcome = await carryOut(.destroyInstances(id: "x", ["i"]), on: peer)
            guard case .failure(.unsupported) = outcome else { return #expect(Bool(false), "\(outcome)") }
            #expect(link.asked.count == round)
        }
    }
}
