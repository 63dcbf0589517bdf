internal import Store

/// What is known of the register: as it was last read, or written by this node.
struct KnownState {
    var reading: RegisterState
    var version: ResourceVersion
    /// What the content means to this node.
    var finding: RegisterFinding

    /// - Parameter known: the newest snapshot that this node has seen.
    init(_ reading: RegisterState, known: Snapshot?, _ rules: ReplicationRules) {
        self.reading = reading
        version = ResourceVersion(seen: reading.version)
        finding = rules.find(reading.content, reading.isLegacy, known)
    }

    var cluster: String { reading.cluster }
    var tag: ContentTag { reading.tag }

    /// The newest snapshot, when that is what the register holds.
    var snapshot: Snapshot? {
        guard case .current(let snapshot) = finding else { return nil }
        return snapshot
    }

    /// What nodes ask; nil when it cannot be read.
    var requests: RequestQueue? { reading.requests.queue }

    /// This node has written that. A look may have seen it already, and more.
    mutating func note(_ write: RegisterWrite, of snapshot: Snapshot, without taken: Set<String>) {
        reading.content = .ours(snapshot)
        reading.tag = write.tag
        reading.size = write.size
        reading.isLegacy = false
        reading.requests.queue?.remove(taken)
        finding = .current(snapshot)
        version = write.version
    }

    mutating func note(_ write: RegisterWrite, of requests: RequestQueue) {
        reading.requests = RequestReading(requests, tag: write.tag)
        version = write.version
    }
}
