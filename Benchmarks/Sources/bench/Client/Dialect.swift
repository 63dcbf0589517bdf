/// How a client speaks.
enum Dialect: String, CaseIterable {
    /// JSON-RPC, one message after another.
    case stream = "JSON-RPC stream"
    /// JSON-RPC over HTTP/1.1.
    case http = "HTTP"

    func request(_ method: String, _ parameters: String) -> [UInt8] {
        switch self {
        case .stream: return Array("{\"method\":\"\(method)\",\"params\":[\(parameters)],\"id\":1}\n".utf8)
        case .http:
            let body = "{\"jsonrpc\":\"2.0\",\"method\":\"\(method)\",\"params\":\(parameters),\"id\":1}"
            let header =
                "POST / HTTP/1.1\r\nHost: h\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: \(body.utf8.count)\r\n"
                + "Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
            return Array((header + body).utf8)
        }
    }

    var inspect: [UInt8] {
        switch self {
        case .stream: request("Group.InspectGroups", #"{"ID":""}"#)
        case .http: request("Group.InspectGroups", "{}")
        }
    }
}
