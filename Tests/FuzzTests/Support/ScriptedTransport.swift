import GroupSPI
import Synchronization

@testable import PluginRPC

/// A connection on which the replies are there already, in their order, and then its end.
final class ScriptedTransport: Transport {
    let wireProtocol = PeerDescription.WireProtocol.stream
    let isOpen = true
    let replyCount = 0

    private let replies: Mutex<ArraySlice<[UInt8]>>
    private let end: TransportError
    private let decoder: ReplyDecoder

    init(_ replies: [[UInt8]], then end: TransportError, limits: JSONLimits) {
        self.replies = Mutex(replies[...])
        self.end = end
        self.decoder = ReplyDecoder(limits: limits)
    }

    func exchange(_ call: WireCall) async throws(TransportError) -> ReplyEnvelope {
        guard let reply = replies.withLock({ $0.popFirst() }) else { throw end }
        return try decoder.decode(reply)
    }

    func close() {}
    func closed() async {}
}
