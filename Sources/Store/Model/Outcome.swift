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

    /// What is said of a change that was still open when a later one of its group was confirmed: nobody asks the plugin
    /// about it any more.
    static func superseded(by revision: Int) -> String {
        "superseded by revision \(revision) before the plugin confirmed it"
    }
}
