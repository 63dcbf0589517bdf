/// One HTTP response, taken apart.
struct HTTPText: Equatable {
    let statusLine: String
    let header: [String: String]
    let body: String

    /// The complete responses at the beginning of a text.
    static func all(_ text: String) -> [HTTPText] {
        var responses: [HTTPText] = []
        var rest = Array(text.utf8)[...]
        while let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
            let lines = String(decoding: rest[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
            rest = rest[end.upperBound...]
            var header: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                header[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
            }
            // The recorded 400 has no length: its body goes on to the end.
            let isContinue = lines.first?.hasSuffix("100 Continue") == true
            let length = isContinue ? 0 : header["content-length"].flatMap { Int($0) } ?? rest.count
            guard rest.count >= length else { break }
            let body = String(decoding: rest.prefix(length), as: UTF8.self)
            rest = rest.dropFirst(length)
            responses.append(HTTPText(statusLine: String(lines.first ?? ""), header: header, body: body))
        }
        return responses
    }

    /// A request as the released command lines send it.
    static func post(_ body: String, header: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\(header)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static func call(_ method: String, _ params: String = "{}", id: String = "1") -> String {
        post(#"{"jsonrpc":"2.0","method":"\#(method)","params":\#(params),"id":\#(id)}"#)
    }
}
