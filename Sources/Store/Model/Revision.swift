public import GroupSPI

/// What one revision did to one group.
public struct Change: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// The group is to have this spec, behind this plugin.
        case set(RawJSON, plugin: Identifier)
        /// The group is let go; its instances stay.
        case free
        /// The group's instances are ended.
        case destroy
    }

    public let group: Identifier
    public let action: Action
    public let status: Status
    /// The plugin's words, when it refused; of a pending change, why it is known that nobody has been told that the plugin
    /// agreed. Pending without words, it may have agreed, and its user may have been told.
    public let error: String?

    public init(group: Identifier, action: Action, status: Status = .pending, error: String? = nil) {
        self.group = group
        self.action = action
        self.status = status
        self.error = error
    }
}

extension Change.Action {
    /// Whether the group is to be watched after it.
    public var isSet: Bool { if case .set = self { true } else { false } }
}

extension Change {
    /// The words of a change whose user is told nothing before its outcome is stored.
    public static let unanswered = "the plugin has not answered yet"

    /// Pending, and nothing is noted of an answer of the plugin.
    public var isUnanswered: Bool { status == .pending && (error == nil || error == Self.unanswered) }
}

/// One numbered entry of the history. All but the outcomes of its changes never change.
public struct Revision: Hashable, Sendable {
    /// From 1, each one more than the one before.
    public let number: Int
    /// When it was stored, in milliseconds since 1970 (UTC), by the leader's clock.
    public let time: Int
    /// The leader's epoch.
    public let epoch: Int
    /// The leader's name.
    public let manager: Identifier
    public let author: Author
    public let operation: Operation
    /// Of a rollback: the revision whose state it restores.
    public let target: Int?
    public let message: String
    /// In the order of the groups' names, compared byte by byte.
    public let changes: [Change]
    /// SHA-256 over the previous revision's hash and everything above but the outcomes.
    public let hash: [UInt8]
    /// The names that people gave to it, in their order.
    public let tags: [Identifier]
    /// Whether somebody has to confirm it; nil when nobody has to.
    public let confirmation: Confirmation?
    /// Who has acknowledged that it was rejected; nil when nobody has.
    public let acknowledgement: Acknowledgement?

    public init(
        number: Int,
        time: Int,
        epoch: Int,
        manager: Identifier,
        author: Author,
        operation: Operation,
        target: Int?,
        message: String,
        changes: [Change],
        hash: [UInt8],
        tags: [Identifier],
        confirmation: Confirmation?,
        acknowledgement: Acknowledgement? = nil
    ) {
        self.number = number
        self.time = time
        self.epoch = epoch
        self.manager = manager
        self.author = author
        self.operation = operation
        self.target = target
        self.message = message
        self.changes = changes
        self.hash = hash
        self.tags = tags
        self.confirmation = confirmation
        self.acknowledgement = acknowledgement
    }

    /// What a draft becomes when it is stored.
    ///
    /// - Parameters:
    ///   - previous: the hash of the revision before.
    ///   - time: milliseconds since 1970.
    package init(_ draft: RevisionDraft, number: Int, after previous: [UInt8], fence: Fence, time: Int) {
        self.init(
            number: number,
            time: time,
            epoch: fence.epoch,
            manager: fence.manager,
            author: draft.author,
            operation: draft.operation,
            target: draft.target,
            message: draft.message,
            changes: draft.changes,
            hash: HashChain.hash(
                previous: previous,
                HashChain.Entry(draft, number: number, time: time, fence: fence)
            ),
            tags: [],
            confirmation: draft.confirmWithin.map {
                Confirmation(revision: number, allowed: $0, deadline: time + $0, state: .waiting)
            }
        )
    }

    public var parent: Int? { number > 1 ? number - 1 : nil }
    public var groups: [Identifier] { changes.map(\.group) }
    public var status: Status { Status.combining(changes.map(\.status)) }
    /// The plugin's words of the first change that it refused.
    public var error: String? { changes.lazy.compactMap(\.error).first }
}

/// A revision that is to be stored.
public struct RevisionDraft: Hashable, Sendable {
    /// Sixteen random bytes, covered by the hash: a revision is told from any other, also when a commit was ambiguous.
    public let token: [UInt8]
    public let author: Author
    public let operation: Operation
    public let target: Int?
    public let message: String
    public let changes: [Change]
    /// Undone unless somebody confirms it within so many milliseconds; nil for good.
    public let confirmWithin: Int?
    /// Stored only when this is the current revision at that moment: ``StoreError`` `unexpectedCurrent` else. Nil: whatever is.
    public let expectedCurrent: Int?

    public init(
        author: Author,
        operation: Operation,
        target: Int? = nil,
        message: String = "",
        changes: [Change],
        confirmWithin: Int? = nil,
        expectedCurrent: Int? = nil,
        token: [UInt8] = RevisionDraft.makeToken()
    ) {
        self.author = author
        self.operation = operation
        self.target = target
        self.message = message
        // As the database sorts and the hash counts on.
        self.changes = changes.sorted { $0.group < $1.group }
        self.confirmWithin = confirmWithin
        self.expectedCurrent = expectedCurrent
        self.token = token
    }

    /// See ``requireExpected(_:_:)``.
    public func requireExpected(_ current: Int) throws(StoreError) {
        try Self.requireExpected(expectedCurrent, current)
    }

    /// - Parameters:
    ///   - expected: nil: any.
    ///   - current: the newest revision that is not rejected; 0 for none.
    /// - Throws: ``StoreError`` `unexpectedCurrent`.
    public static func requireExpected(_ expected: Int?, _ current: Int) throws(StoreError) {
        guard let expected, expected != current else { return }
        throw StoreError(
            .unexpectedCurrent,
            "the current revision is \(current), not \(expected): somebody else made a change. "
                + "Check the history and try again."
        )
    }

    /// The same, for changes of which nobody hears that the plugin has agreed before that is stored.
    public var awaitingOutcome: RevisionDraft {
        RevisionDraft(
            author: author,
            operation: operation,
            target: target,
            message: message,
            changes: changes.map { change in
                Change(group: change.group, action: change.action, status: .pending, error: Change.unanswered)
            },
            confirmWithin: confirmWithin,
            expectedCurrent: expectedCurrent,
            token: token
        )
    }

    public static func makeToken() -> [UInt8] {
        // Two questions to the system, not sixteen.
        var words = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        return withUnsafeBytes(of: &words) { Array($0) }
    }
}
