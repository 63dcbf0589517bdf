import GroupSPI
import Testing

@testable import PluginRPC

@Suite("A call may be tried again only when nothing was changed")
struct ClientDeliveryStateTests {
    private final class FailingTransport: Transport {
        let wireProtocol = PeerDescription.WireProtocol.stream
        let isOpen = true
        let replyCount = 0
        private let error: TransportError

        init(_ error: TransportError) { self.error = error }

        func exchange(_ call: WireCall) async throws(TransportError) -> ReplyEnvelope { throw error }
        func close() {}
        func closed() async {}
    }

    private func send(_ calls: [WireCall], _ error: TransportError, isReadOnly: Bool = false) async -> DeliveryState {
        let delivery = DeliveryState(isReadOnly: isReadOnly)
        for call in calls {
            _ = try? await delivery.send(call, to: Peer(transport: FailingTransport(error), identity: nil))
        }
        return delivery
    }

    @Test(
        "which it was not when the request was not delivered",
        arguments: [TransportError.notSent(""), .unreachable("")]
    )
    func notDelivered(error: TransportError) async {
        let delivery = await send([.destroy("x")], error)
        #expect(!delivery.isSent && delivery.mayStartAgain)
    }

    @Test(
        "which is unknown when the answer is lost",
        arguments: [TransportError.lost(""), .malformedReply(""), .cancelled]
    )
    func lost(error: TransportError) async {
        let write = await send([.destroy("x")], error)
        #expect(write.isSent && !write.mayStartAgain)
        let question = await send([.inspect], error, isReadOnly: true)
        #expect(question.isSent && question.mayStartAgain)
        // A write that has only asked so far has changed nothing.
        let early = await send([.inspect, .commit(.text("x"), pretend: true)], error)
        #expect(!early.isSent && early.mayStartAgain)
    }

    @Test("which stays unknown whatever comes later")
    func stays() async {
        let delivery = await send([.destroy("x")], .lost(""))
        let peer = Peer(transport: FailingTransport(.notSent("")), identity: nil)
        _ = try? await delivery.send(.destroy("x"), to: peer)
        #expect(delivery.isSent && !delivery.mayStartAgain)
    }
}
