import GroupSPI
import Testing

@testable import PluginRPC

@Suite("A call may be tried again only when nothing was changed")
struct ClientJourneyTests {
    private final class FailingLink: Link {
        let dialect = PeerDescription.Dialect.stream
        let isOpen = true
        let replyCount = 0
        private let error: LinkError

        init(_ error: LinkError) { self.error = error }

        func exchange(_ call: WireCall) async throws(LinkError) -> ReplyEnvelope { throw error }
        func close() {}
        func closed() async {}
    }

    private func send(_ calls: [WireCall], _ error: LinkError, isReadOnly: Bool = false) async -> Journey {
        let journey = Journey(isReadOnly: isReadOnly)
        for call in calls {
            _ = try? await journey.send(call, to: Peer(link: FailingLink(error), identity: nil))
        }
        return journey
    }

    @Test("which it was not when the request was not delivered", arguments: [LinkError.notSent(""), .unreachable("")])
    func notDelivered(error: LinkError) async {
        let journey = await send([.destroy("x")], error)
        #expect(!journey.isSent && journey.mayStartAgain)
    }

    @Test("which is unknown when the answer is lost", arguments: [LinkError.lost(""), .nonsense(""), .cancelled])
    func lost(error: LinkError) async {
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
        let journey = await send([.destroy("x")], .lost(""))
        let peer = Peer(link: FailingLink(.notSent("")), identity: nil)
        _ = try? await journey.send(.destroy("x"), to: peer)
        #expect(journey.isSent && !journey.mayStartAgain)
    }
}
