internal import GroupSPI
internal import NIOCore
internal import NIOHTTP1

/// One HTTP request on its way in: its head, what is to become of it, and as much of its body as has arrived.
struct HTTPRequest {
    /// What the head alone decides.
    enum Plan {
        /// The body is a JSON-RPC message.
        case call
        /// `GET /info/api.json`.
        case description
        /// An answer that does not depend on the body, which is skipped.
        case refuse(status: String, text: String)
        /// An answer after which the connection cannot go on.
        case refuseAndClose(status: String, text: String)
    }

    let head: HTTPRequestHead
    let plan: Plan
    var body: ByteBuffer?
    /// The client waits for leave to send the body.
    var owesContinue: Bool

    init(_ head: HTTPRequestHead, maximumBytes: Int) {
        self.head = head
        let expectsContinue = head.headers.first(name: "Expect")?.lowercased() == "100-continue"
        let plan = Self.plan(head, maximumBytes)
        switch plan {
        case .refuse(let status, let text) where expectsContinue:
            // Whether the client will send the body after a refusal cannot be known.
            self.plan = .refuseAndClose(status: status, text: text)
        default:
            self.plan = plan
        }
        self.owesContinue = expectsContinue
    }

    private static func plan(_ head: HTTPRequestHead, _ maximumBytes: Int) -> Plan {
        let path = head.uri.prefix { $0 != "?" }
        let hosts = head.headers["Host"].count
        if head.version != .http1_0, hosts == 0 { return bad("missing required Host header") }
        if hosts > 1 { return bad("too many Host headers") }
        // The decoder stops at an upgrade, so the connection could not go on.
        if head.method == .CONNECT || head.headers.contains(name: "Upgrade") { return bad("no upgrades here") }
        if let length = head.headers.first(name: "Content-Length").flatMap({ Int($0) }), length > maximumBytes {
            return tooLarge(maximumBytes)
        }
        switch head.method {
        case .POST: return post(head)
        case .GET where path == "/info/api.json": return .description
        case .GET where path != "/", .HEAD where path != "/":
            return .refuse(status: "404 Not Found", text: "404 page not found\n")
        default:
            let text = "rpc: POST method required, received \(head.method.rawValue)"
            return .refuse(status: "405 Method Not Allowed", text: text)
        }
    }

    private static func post(_ head: HTTPRequestHead) -> Plan {
        guard let contentType = head.headers.first(name: "Content-Type") else { return .call }
        let type = contentType.prefix { $0 != ";" }
        guard type.lowercased() == "application/json" else {
            let text = "rpc: unrecognized Content-Type: \(type)"
            return .refuse(status: "415 Unsupported Media Type", text: text)
        }
        return .call
    }

    static func bad(_ reason: String) -> Plan {
        .refuseAndClose(status: "400 Bad Request: \(reason)", text: "400 Bad Request: \(reason)")
    }

    static func tooLarge(_ maximumBytes: Int) -> Plan {
        .refuseAndClose(
            status: "413 Request Entity Too Large",
            text: "a request body of more than \(maximumBytes) bytes\n"
        )
    }

    /// With it a client tells who has logged in, where the kernel tells only as which user it runs.
    static let loginHeader = "Infrakit-Login"

    var login: Identifier? { head.headers.first(name: Self.loginHeader).map { Identifier($0) } }

    var isClosing: Bool {
        if case .refuseAndClose = plan { return true }
        return false
    }

    var bodyBytes: Int { body?.readableBytes ?? 0 }

    mutating func append(_ bytes: ByteBuffer) {
        guard case .call = plan else { return }
        if body == nil {
            body = bytes
        } else {
            var bytes = bytes
            body?.writeBuffer(&bytes)
        }
    }

    var connection: HTTPResponseHead.Connection {
        guard head.isKeepAlive, !isClosing else { return .close }
        return head.version == .http1_0 ? .keepAliveOfOldClient : .keepAlive
    }
}
