import GroupSPI
import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import PluginRPC

/// What has to come back for one request.
enum ExpectedResponse: Equatable {
    /// A call without an id, or a body that is no call.
    case empty
    /// A call with that id.
    case reply(RawJSON)
    /// `GET /info/api.json`.
    case description
    /// No call.
    case refusal(closes: Bool)

    func check(_ response: HTTPResponseText) throws {
        switch self {
        case .empty:
            try require(response.status == 200 && response.body.isEmpty, "a call without an id is answered \(response)")
        case .reply(let id):
            try same(response.status, 200, "a call's status")
            let members = try JSONView(response.body, limits: JSONLimits(maximumBytes: .max, maximumDepth: 64)).members
            try require(
                members.map(\.name) == ["jsonrpc", "result", "id"]
                    || members.map(\.name) == ["jsonrpc", "error", "id"],
                "a reply with \(members.map(\.name))"
            )
            try same(members[2].value.raw, id, "a reply's id")
        case .description:
            try require(response.status == 200, "the description is answered \(response)")
            try same(JSONView(response.body).kind, .object, "the description")
        case .refusal(let closes):
            try require((400..<500).contains(response.status), "refused with \(response.status)")
            try require(!closes || response.closes, "a connection that cannot go on goes on")
        }
    }
}

/// Says what has to come back, from what NIO's decoder makes of the bytes when nothing else stands behind it.
enum ExpectedResponses {
    static func to(_ input: [UInt8]) throws -> [ExpectedResponse] {
        let configuration = Conversation.configuration
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = configuration.maximumHeaderBytes
        limits.maxHeaderListSize = configuration.maximumHeaderBytes
        let channel = EmbeddedChannel()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits))
        try channel.pipeline.syncOperations.addHandler(decoder)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).wait()
        var failure: (any Error)?
        do {
            try channel.writeInbound(ByteBuffer(bytes: input.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }))
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            try channel.throwIfErrorCaught()
        } catch {
            failure = error
        }
        var responses: [ExpectedResponse] = []
        var request: HTTPRequest?
        var isOver = false
        while !isOver, let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                let new = HTTPRequest(head, maximumBytes: configuration.limits.maximumBytes)
                request = new
                isOver = new.isClosing
                if isOver { responses.append(.refusal(closes: true)) }
            case .body(let bytes):
                request?.append(bytes)
                isOver = (request?.bodyBytes ?? 0) > configuration.limits.maximumBytes
                if isOver { responses.append(.refusal(closes: true)) }
            case .end:
                guard let complete = request else { break }
                responses.append(response(to: complete))
                isOver = complete.connection == .close
            }
        }
        if !isOver, failure is HTTPParserError { responses.append(.refusal(closes: true)) }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return responses
    }

    private static func response(to request: HTTPRequest) -> ExpectedResponse {
        switch request.plan {
        case .refuse, .refuseAndClose: return .refusal(closes: false)
        case .description: return .description
        case .call: break
        }
        let limits = Conversation.configuration.limits
        var body = Array(request.body?.readableBytesView ?? ByteBufferView())
        if (try? JSONView(body, limits: JSONLimits(maximumBytes: .max, maximumDepth: limits.maximumDepth))) == nil {
            // Anything may stand behind the first value.
            guard
                case .failure(let error) = Result(catching: { () throws(JSONError) in try JSONView(body, limits: limits)
                }),
                error.code == .trailingData
            else { return .empty }
            body.removeLast(body.count - error.offset)
        }
        guard let call = try? JSONView(body, limits: limits), call.kind == .object, let id = call.member("id"),
            !id.isNull
        else { return .empty }
        return .reply(id.raw)
    }
}
