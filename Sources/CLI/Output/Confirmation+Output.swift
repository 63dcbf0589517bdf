internal import GroupSPI
internal import Store
internal import Terminal

extension Confirmation {
    var json: JSON {
        ["state": .string("\(state)"), "deadline": .string(Timestamp(milliseconds: deadline).rfc3339)]
    }

    var deadlineText: String { "at \(Timestamp(milliseconds: deadline).local)" }
}
