/// How fresh an answer is that comes from the store and not from the plugin.
public struct ReadStamp: Hashable, Sendable {
    /// The current revision; 0 before the first.
    public let revision: Int
    /// Of the leader, or of the last one.
    public let epoch: Int
    /// Since this replica saw the leader renew its lease, in milliseconds, by a clock of its own that nobody can set. For people.
    public let age: Int

    public init(revision: Int, epoch: Int, age: Int) {
        self.revision = revision
        self.epoch = epoch
        self.age = age
    }
}
