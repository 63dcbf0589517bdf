internal import GroupSPI

/// The `Name` of a request of the head generation, `plugin/subtype`, and the `ID` beside it; both go back in the result.
struct Address: Sendable {
    let name: Identifier
    let id: Identifier

    /// What follows the first slash: a group's name, or one of the names that mean all groups.
    var subtype: Identifier {
        guard let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")) else { return "" }
        return Identifier(String(name.text[name.utf8.index(after: slash)...]))
    }

    /// True when the name points at one group rather than at all of them.
    var namesOneGroup: Bool {
        switch subtype {
        case "", ".", "groups": false
        default: true
        }
    }

    var notFound: RPCFailure { RPCFailure(.server, "not found: \(name) (key=\(subtype))") }
}
