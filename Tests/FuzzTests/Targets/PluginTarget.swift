import GroupSPI
import NIOCore
import NIOEmbedded

@testable import PluginRPC

/// The client's end: what a plugin answers, whatever it is, comes to a reply or to an error with a sentence, and what is
/// passed on to the manager's own clients is JSON.
///
/// The first byte chooses the call, the rest is the plugin's stream.
enum PluginTarget {
    private static let limits = JSONLimits(maximumBytes: 1024, maximumDepth: 16)

    static func run(_ input: [UInt8]) throws {
        guard let first = input.first else { return }
        let calls = Self.calls
        let call = calls[Int(first) % calls.count]
        let stream = input.dropFirst()
        let (replies, failure) = framed(stream)
        try inOnePiece(stream, replies, failure)
        for reply in replies { try require(reply.count <= limits.maximumBytes, "a reply beyond the limit") }
        let outcome = try immediately { await carryOut(call, replies, failure) }
        try check(outcome, call)
        try everyCallEnds(stream)
    }

    private static var calls: [GroupRequest] {
        let spec = GroupSpec(id: "web", properties: RawJSON(checked: Array(#"{"Allocation":{"Size":3}}"#.utf8)))
        return [
            .watch(spec), .update(spec), .describeUpdate(spec), .stopUpdate(id: "web"), .unwatch(id: "web"),
            .commit(spec, pretend: false), .commit(spec, pretend: true), .free(id: "web"), .describe(id: "web"),
            .inspect,
            .destroy(id: "web"), .size(id: "web"), .setSize(id: "web", 7), .destroyInstances(id: "web", ["i-1"]),
        ]
    }

    /// What comes of the stream byte by byte.
    private static func framed(_ stream: ArraySlice<UInt8>) -> (replies: [[UInt8]], failure: TransportError?) {
        var framer = ReplyFramer(limits: limits)
        var replies: [[UInt8]] = []
        for byte in stream {
            do throws(TransportError) {
                replies += try framer.append(CollectionOfOne(byte))
            } catch {
                return (replies, error)
            }
        }
        return (replies, nil)
    }

    private static func inOnePiece(_ stream: ArraySlice<UInt8>, _ replies: [[UInt8]], _ failure: TransportError?) throws
    {
        var framer = ReplyFramer(limits: limits)
        let whole = Result { () throws(TransportError) in try framer.append(stream) }
        switch whole {
        case .success(let whole):
            try require(failure == nil, "in one piece it does not fail")
            try same(whole, replies, "in one piece, other replies")
        case .failure(let error): try require(failure != nil, "in one piece it fails: \(error)")
        }
    }

    private static func carryOut(
        _ call: GroupRequest,
        _ replies: [[UInt8]],
        _ failure: TransportError?
    ) async -> Result<GroupReply, TransportError> {
        let transport = ScriptedTransport(
            replies,
            then: failure ?? .lost("the plugin closed the connection"),
            limits: limits
        )
        let translator = APIVersionTranslator(
            peer: Peer(transport: transport, identity: nil),
            delivery: DeliveryState(isReadOnly: false)
        )
        do throws(TransportError) {
            return .success(try await translator.carryOut(call))
        } catch {
            return .failure(error)
        }
    }

    private static func check(_ outcome: Result<GroupReply, TransportError>, _ call: GroupRequest) throws {
        let answer: Result<Response, RPCFailure>
        switch outcome {
        case .success(let reply):
            answer = .success(.group(reply, nil))
            if case .description(let description) = reply { _ = description.decodedInstances }
        case .failure(let error):
            let error = error.groupError(plugin: "group", method: call.method, isQuestion: false)
            try require(!error.message.isEmpty, "an error without a sentence")
            let isBounded = error.code != .rejected || error.message.utf8.count <= ReplyDecoder.longestWords + 100
            try require(isBounded, "an error that is too long")
            answer = .failure(RPCFailure(error))
        }
        for wireProtocol in [WireProtocol.stream, .http] {
            let text = ReplyWriter(wireProtocol: wireProtocol).reply(to: .null, answer)
            _ = try JSONView(Array(text.readableBytesView), limits: JSONLimits(maximumBytes: .max, maximumDepth: 64))
        }
    }

    /// Calls in flight on a connection all end, whatever comes.
    private static func everyCallEnds(_ stream: ArraySlice<UInt8>) throws {
        let channel = EmbeddedChannel()
        let handler = StreamTransportHandler(limits: limits, replyCount: ReplyCounter())
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/plugin")).wait()
        let pending = (0..<3).map { _ in PendingReply() }
        for reply in pending {
            _ = handler.send(.inspect, with: RequestEncoder(name: "group"), on: channel, reply: reply)
        }
        for piece in pieces(of: stream) where channel.isActive { try channel.writeInbound(ByteBuffer(bytes: piece)) }
        _ = try channel.finish(acceptAlreadyClosed: true)
        try require(pending.allSatisfy(\.isFilled), "a call that nobody ends")
    }
}
