/// What a revision settles in its own transaction.
public enum RevisionTrigger: Hashable, Sendable {
    /// The request with this id.
    case request(String)
    /// The revision with this number was not confirmed in time: this one undoes it.
    case expiry(Int)

    /// Whether the plugin's no settles the revision. Nobody would ask again for the undoing of what nobody has confirmed, so its
    /// plugin is asked until it agrees.
    public var isRefusable: Bool {
        if case .expiry = self { false } else { true }
    }

    public var requestID: String? {
        if case .request(let id) = self { id } else { nil }
    }
}
