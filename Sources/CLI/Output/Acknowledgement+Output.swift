internal import GroupSPI
internal import Store
internal import Terminal

extension Acknowledgement {
    var json: JSON {
        [
            "time": .string(Timestamp(milliseconds: time).rfc3339), "author": author.json, "message": .string(message),
        ]
    }

    var text: String { "acknowledged by \(author.text)\(message.isEmpty ? "" : ": \(message)")" }
}
