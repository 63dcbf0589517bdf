/// Who asked for a change.
public struct Author: Hashable, Sendable {
    /// The user's name, from the socket's peer credentials or the environment of a command; nil when unknown.
    public let user: String?
    public let uid: Int?
    /// The host on which they asked.
    public let host: String

    public init(user: String?, uid: Int?, host: String) {
        self.user = user
        self.uid = uid
        self.host = host
    }
}
