import Testing

/// One request that was sent by hand to a released InfraKit binary, and its answer, byte for byte.
struct RecordedExchange: Sendable, CustomTestStringConvertible {
    let generation: String
    let name: String
    let request: String
    let reply: String
    let closes: Bool

    var testDescription: String { "\(generation): \(name)" }

    /// Reads blocks of `## name`, `>>> request`, `<<< reply`, `[connection …]`; a visible `\r` stands for the byte.
    static func parse(_ generation: String, _ text: String) -> [RecordedExchange] {
        var exchanges: [RecordedExchange] = []
        var name = ""
        var request: [Substring] = []
        var reply: [Substring] = []
        var isReply = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") {
                name = String(line.dropFirst(3))
                (request, reply, isReply) = ([], [], false)
            } else if line.hasPrefix(">>> ") {
                request = [line.dropFirst(4)]
            } else if line.hasPrefix("<<<") {
                reply = [line.dropFirst(4)]
                isReply = true
            } else if line.hasPrefix("[connection ") {
                exchanges.append(
                    RecordedExchange(
                        generation: generation,
                        name: name,
                        request: joined(request),
                        reply: joined(reply),
                        closes: line.contains("closed")
                    )
                )
            } else if isReply {
                reply.append(line)
            } else {
                request.append(line)
            }
        }
        return exchanges
    }

    private static func joined(_ lines: [Substring]) -> String {
        lines.map { $0.hasSuffix("\\r") ? "\($0.dropLast(2))\r" : String($0) }.joined(separator: "\n")
    }
}
