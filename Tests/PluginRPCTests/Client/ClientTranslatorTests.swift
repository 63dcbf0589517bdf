import GroupSPI
import Synchronization
import Testing

@testable import PluginRPC

@Suite("What was learned of a plugin is not believed for ever")
struct ClientTranslatorTests {
    /// Answers `{}` to the methods it knows.
    private final class KnowingTransport: Transport {
        let wireProtocol = PeerDescription.WireProtocol.http
        let isOpen = true
        let replyCount = 0
        private let methods: Set<String>
        private let state = Mutex([String]())

        init(_ methods: Set<String>) { self.methods = methods }

        var asked: [String] { state.withLock { $0 } }

        func exchange(_ call: WireCall) async throws(TransportError) -> ReplyEnvelope {
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

    private func carryOut(_ request: GroupRequest, on peer: Peer) async -> Result<GroupReply, TransportError> {
        do throws(TransportError) {
            let delivery = DeliveryState(isReadOnly: false)
            return .success(try await APIVersionTranslator(peer: peer, delivery: delivery).carryOut(request))
        } catch {
            return .failure(error)
        }
    }

    @Test("when the other generation's method is missing too")
    func asksAfresh() async {
        let transport = KnowingTransport(["Group.InspectGroups", "Group.WatchGroup"])
        let peer = Peer(transport: transport, identity: nil)
        peer.methods.add(missing: "Group.WatchGroup")
        #expect(await carryOut(.watch(.text("x")), on: peer) == .success(.ok))
        #expect(transport.asked == ["Group.InspectGroups", "Group.CommitGroup", "Group.WatchGroup"])
        #expect(await carryOut(.watch(.text("x")), on: peer) == .success(.ok))
        #expect(transport.asked.count == 4)
    }

    @Test("but asked once more only")
    func asksOnce() async {
        let transport = KnowingTransport([])
        let peer = Peer(transport: transport, identity: nil)
        for round in 1...3 {
            let outcome = await carryOut(.destroyInstances(id: "x", ["i"]), on: peer)
            guard case .failure(.unsupported) = outcome else { return #expect(Bool(false), "\(outcome)") }
            #expect(transport.asked.count == round)
        }
    }
}
