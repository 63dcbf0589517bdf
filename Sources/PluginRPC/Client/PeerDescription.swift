/// What a plugin turned out to speak.
public struct PeerDescription: Hashable, Sendable {
    public enum WireProtocol: String, Sendable {
        case stream, http
    }

    /// Which half of the Group interface a plugin has.
    public enum APIVersion: String, Sendable {
        /// WatchGroup, UpdateGroup, UnwatchGroup.
        case watch
        /// CommitGroup, FreeGroup.
        case commit
    }

    public let wireProtocol: WireProtocol
    /// What the plugin's answers have shown so far; until they show more, what its dialect suggests.
    public let apiVersion: APIVersion

    public init(wireProtocol: WireProtocol, apiVersion: APIVersion) {
        self.wireProtocol = wireProtocol
        self.apiVersion = apiVersion
    }
}
