public import GroupSPI

/// One difference between two documents.
public struct JSONChange: Hashable, Sendable {
    public enum Kind: String, Sendable {
        case added, removed, changed
    }

    public let kind: Kind
    /// Where the value is: in the later document, and for one that was removed, in the earlier document. The two differ
    /// only behind elements that an array has gained or lost.
    public let path: JSONPath
    /// The value as it was written; nil when it was added.
    public let before: RawJSON?
    /// The value as it is written now; nil when it was removed.
    public let after: RawJSON?
    /// Which parts of the value differ was not looked at, as there are too many: perhaps none, and only their order or
    /// spelling does.
    public var isCoarse = false

    /// `{"path":"Allocation.Size","kind":"changed","before":3,"after":5}`. A side without a value has no member, since
    /// `null` is a value.
    public var json: JSON {
        var members: [JSON.Member] = [
            .init("path", .string(path.description)),
            .init("kind", .string(kind.rawValue)),
        ]
        if let before { members.append(.init("before", .raw(before))) }
        if let after { members.append(.init("after", .raw(after))) }
        if isCoarse { members.append(.init("coarse", true)) }
        return .object(members)
    }
}
