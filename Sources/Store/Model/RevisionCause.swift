/// What a revision settles in its own transaction.
public enum RevisionCause: Hashable, Sendable {
    /// The request with this id.
    case request(String)
    /// The revision with this number was not confirmed in time: this one undoes it.
    case expiry(Int)

    public var requestID: String? {
        if case .request(let id) = self { id } else { nil }
    }
}
