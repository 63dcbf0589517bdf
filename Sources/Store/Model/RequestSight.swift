/// A request as it stands at one moment, with what tells of its fate.
public struct RequestSight: Hashable, Sendable {
    /// Nil when there is no such request.
    public let request: Request?
    /// The revision that carries it out; nil when there is none yet, or it cannot be read.
    public let revision: Revision?
    public let lease: Lease
    /// Why the revision cannot be read.
    public let trouble: StoreError?

    public init(request: Request?, revision: Revision? = nil, lease: Lease, trouble: StoreError? = nil) {
        self.request = request
        self.revision = revision
        self.lease = lease
        self.trouble = trouble
    }
}

/// One step of forgetting requests that have ended.
public struct RequestRemoval: Hashable, Sendable {
    /// How many were removed.
    public let removed: Int
    /// The lease's, at that moment.
    public let sequence: Int

    public init(removed: Int, sequence: Int) {
        self.removed = removed
        self.sequence = sequence
    }
}
