public import GroupSPI

/// How one group's change came out. One that is pending with words is known not to be confirmed: its user was told so.
/// Pending without words is what nothing is known of yet, not even what its user was told.
public struct Outcome: Hashable, Sendable {
    public let revision: Int
    public let group: Identifier
    public let status: Status
    /// The plugin's words, when it refused; why it gave no answer, when it is pending.
    public let error: String?

    public init(revision: Int, group: Identifier, status: Status, error: String? = nil) {
        self.revision = revision
        self.group = group
        self.status = status
        self.error = error
    }

    /// What is said of a change that was still open when a later one of its group was confirmed: nobody asks the plugin
    /// about it any more. It may have agreed, and have been overtaken before that was stored.
    package static func superseded(by revision: Int) -> String {
        "overtaken by revision \(revision) before its outcome was known; it may have been applied"
    }
}
