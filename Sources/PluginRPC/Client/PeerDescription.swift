/// What a plugin turned out to speak.
public struct PeerDescription: Hashable, Sendable {
    public enum Dialect: String, Sendable {
        case stream, http
    }

    /// Which half of the Group interface a plugin has.
    public enum Generation: String, Sendable {
        /// WatchGroup, UpdateGroup, UnwatchGroup.
        case watch
        /// CommitGroup, FreeGroup.
        case commit
    }

    public let dialect: Dialect
    /// What the plugin's answers have shown so far; until they show more, what its dialect suggests.
    public let generation: Generation

    public init(dialect: Dialect, generation: Generation) {
        self.dialect = dialect
        self.generation = generation
    }
}
