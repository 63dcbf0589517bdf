internal import GroupSPI
internal import Store

/// What stood of a group before anything that nobody has confirmed in time.
///
/// What was not confirmed never stands for good: who undoes a change must not bring another one back whose time is over, nor take
/// what such an undoing has restored for somebody's wish.
struct UnconfirmedPast {
    let store: any StateStore
    let timeout: Duration
    private var revisions: [Int: Revision] = [:]

    init(_ store: any StateStore, within timeout: Duration) { (self.store, self.timeout) = (store, timeout) }

    /// The message of the revision that undoes another; its author is the other's, who has not asked for it.
    static func message(undoing number: Int) -> String { "revision \(number) was not confirmed within " }

    /// - Parameter state: the group's state just before some revision.
    /// - Returns: the same; or, when nobody has confirmed what it is of, what stood before that.
    mutating func confirmed(_ state: GroupState?) async throws(StoreError) -> GroupState? {
        var state = state
        // Each turn leads to an earlier revision.
        while let found = state, let number = try await unconfirmed(found.revision) {
            state = try await store.state(of: found.group, before: number, within: timeout)
        }
        return state
    }

    /// Whether a group stands as a revision has set it because what came after was undone.
    ///
    /// - Parameter state: as it stands.
    mutating func restores(_ number: Int, _ state: GroupState) async throws(StoreError) -> Bool {
        var state: GroupState? = state
        while let found = state, found.revision > number, let undone = try await unconfirmed(found.revision) {
            state = try await store.state(of: found.group, before: undone, within: timeout)
        }
        return state?.revision == number
    }

    /// The revision before which to look on, when what this one has set is nobody's wish: itself, if its time is over; the one
    /// that it undoes, if that is all it does.
    private mutating func unconfirmed(_ number: Int) async throws(StoreError) -> Int? {
        guard let revision = try await revision(number) else { return nil }
        if revision.isUnconfirmed { return number }
        guard revision.operation == .rollback, let target = revision.target, target + 1 < number,
            revision.message.hasPrefix(Self.message(undoing: target + 1)),
            try await self.revision(target + 1)?.confirmation?.state == .reverted
        else { return nil }
        return target + 1
    }

    private mutating func revision(_ number: Int) async throws(StoreError) -> Revision? {
        if let known = revisions[number] { return known }
        let found = try await store.revision(number, within: timeout)
        revisions[number] = found
        return found
    }
}

extension Revision {
    /// The time to confirm it is over, and nobody has.
    fileprivate var isUnconfirmed: Bool {
        confirmation?.state == .reverted || confirmation?.state == .overtaken
    }
}
