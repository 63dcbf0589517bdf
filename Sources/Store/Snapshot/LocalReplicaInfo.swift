public import GroupSPI

/// Of what the database is a copy, in swarm mode.
public struct LocalReplicaInfo: Hashable, Sendable {
    /// The swarm's id.
    public var cluster: String
    /// The id of this node in it.
    public var node: String
    /// The host name of the node that leads the swarm, as far as this node knows; empty when it does not.
    public var leader: Identifier
    /// Rises with what is read and written: a copy never goes back.
    public var position: Int
    /// Of the swarm object.
    public var version: Int
    /// What the label takes and may take, in bytes.
    public var labelSize: Int
    public var labelLimit: Int
    /// When the Engine last told: milliseconds since 1970, by this host's clock.
    public var readAt: Int
    /// Why it does not tell now; nil when it does.
    public var trouble: String?

    public init(
        cluster: String,
        node: String,
        leader: Identifier,
        position: Int,
        version: Int,
        labelSize: Int,
        labelLimit: Int,
        readAt: Int,
        trouble: String? = nil
    ) {
        self.cluster = cluster
        self.node = node
        self.leader = leader
        self.position = position
        self.version = version
        self.labelSize = labelSize
        self.labelLimit = labelLimit
        self.readAt = readAt
        self.trouble = trouble
    }
}

/// How a copy took a snapshot.
public enum ApplyResult: Hashable, Sendable {
    /// The copy is up to date; that many revisions are new in it.
    case done(revisions: Int)
    /// The copy is newer: somebody has been told something old.
    case stale
    /// The snapshot is an older state of this copy's own history, which is the best that is left of what came after: nothing
    /// was changed, and the copy is to be kept.
    case behind
    /// The copy has another history: which revision differs. Nothing was changed.
    case diverged(at: Int)
}
