/// A revision that is undone unless somebody confirms it in time.
public struct Confirmation: Hashable, Sendable {
    /// Stored as the raw value: append only.
    public enum State: Int, Sendable {
        case waiting = 0
        case confirmed = 1
        /// Nobody confirmed it: the leader has restored what stood before.
        case reverted = 2
        /// Nobody confirmed it, and later revisions had changed all of its groups: there was nothing left to undo.
        case overtaken = 3
        /// The plugin refused all of it: there is nothing to confirm, and nothing to undo.
        case rejected = 4
    }

    public let revision: Int
    /// How long there was to confirm it, in milliseconds.
    public let allowed: Int
    /// Milliseconds since 1970, by the clock of the leader that stored it.
    public let deadline: Int
    public let state: State

    public init(revision: Int, allowed: Int, deadline: Int, state: State) {
        self.revision = revision
        self.allowed = allowed
        self.deadline = deadline
        self.state = state
    }
}
