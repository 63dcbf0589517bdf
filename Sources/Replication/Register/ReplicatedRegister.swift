package import Store

/// The one place, shared by all nodes, in which the newest snapshot of the history lies, and beside it what nodes ask of the leader.
///
/// Of two writers who began with the same content one alone succeeds. All else that a ``ReplicatedStore`` needs is built on that:
/// the fence of a term is the epoch in the snapshot, and whoever writes has begun with it.
package protocol ReplicatedRegister: Sendable {
    /// What it is called in sentences for people.
    var terminology: RegisterTerminology { get }
    var limits: RegisterLimits { get }

    /// All that it holds now. A register that was cut off from the others may answer from before the cut.
    func read() async throws(RegisterError) -> RegisterState

    /// What it holds now, for somebody who knows what it held before: what has not changed need not be sent or decoded again. Where
    /// what came between is not known any more, all is read.
    func changes(since known: RegisterState) async throws(RegisterError) -> RegisterState

    /// Replaces the snapshot, if the content is still the one that the caller began with.
    ///
    /// - Parameters:
    ///   - snapshot: differs from every one that the register had before, as one with a sequence and an epoch does.
    ///   - state: what the caller began with.
    ///   - taking: requests that have to be there still, and are removed by the same write.
    ///   - limit: for all of it: sending, and finding out what became of it.
    ///   - mayWrite: asked right before every sending; false ends it.
    /// - Throws: ``RegisterError``: `lostRace` when somebody else wrote; `conflict` when one of the requests is not there;
    ///   `tooLarge`; `unknownOutcome` when it cannot be told whether the write took place. After any other nothing was written.
    func swap(
        _ snapshot: Snapshot,
        over state: RegisterState,
        taking: Set<String>,
        within limit: Duration,
        while mayWrite: @escaping @Sendable () -> Bool
    ) async throws(RegisterError) -> RegisterWrite

    /// Replaces the requests, if they are still those that the caller began with.
    ///
    /// - Throws: ``RegisterError``, as the other one does.
    func swap(
        _ requests: RequestQueue,
        over state: RegisterState,
        within limit: Duration
    ) async throws(RegisterError) -> RegisterWrite

    /// - Throws: ``RegisterError`` `tooLarge` when the register does not carry so many requests, or such large ones.
    func validate(_ requests: RequestQueue) throws(RegisterError)
}

extension ReplicatedRegister {
    package func changes(since known: RegisterState) async throws(RegisterError) -> RegisterState { try await read() }
}

/// How much a register carries.
package struct RegisterLimits: Hashable, Sendable {
    /// Of the snapshot as it is kept there, in bytes.
    package var snapshot: Int

    package init(snapshot: Int) { self.snapshot = snapshot }
}

/// Tells one content of a register from every other that it had or will have.
package struct ContentTag: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }
}

/// What was written.
package struct RegisterWrite: Hashable, Sendable {
    /// In which the new content was seen, or on which it was written.
    package let version: ResourceVersion
    package let tag: ContentTag
    /// What it takes of the room there, in bytes.
    package let size: Int
    /// For a person, when little room is left.
    package let warning: String?

    package init(version: ResourceVersion, tag: ContentTag, size: Int, warning: String? = nil) {
        self.version = version
        self.tag = tag
        self.size = size
        self.warning = warning
    }
}
