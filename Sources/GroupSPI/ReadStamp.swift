/// How fresh an answer is that comes from the store and not from the plugin.
public struct ReadStamp: Hashable, Sendable {
    /// The current revision; 0 before the first.
    public let revision: Int
    /// Of the leader, or of the last one.
    public let epoch: Int
    /// Since the leader renewed its lease, by the clocks of its host and of this one, in milliseconds. For people.
    public let age: Int

    public init(revision: Int, epoch: Int, age: Int) {
        self.revision = revision
        self.epoch = epoch
        self.age = age
    }
}
