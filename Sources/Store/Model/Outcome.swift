/// How one group's change came out.
public struct Outcome: Hashable, Sendable {
    public let revision: Int
    public let group: String
    public let status: Status
    /// The plugin's words, when it refused.
    public let error: String?

    public init(revision: Int, group: String, status: Status, error: String? = nil) {
        self.revision = revision
        self.group = group
        self.status = status
        self.error = error
    }
}
