public import GroupSPI

/// What stands, and the newest part of the history, as they are kept in another place than the database: a value without
/// clock, socket or file.
///
/// All that a leader stores is an edit of this value; every copy of the history is brought up to date from it.
public struct Snapshot: Hashable, Sendable {
    /// What stood before the first of ``records``.
    public struct Base: Hashable, Sendable {
        /// The revision that it is; 0 before the first.
        public var revision: Int
        /// The history's hash up to there.
        public var hash: [UInt8]
        /// By the groups' names. Groups that ended are not in it.
        public var groups: [Identifier: GlobalConfig.Entry]

        public init(
            revision: Int = 0,
            hash: [UInt8] = HashChain.origin,
            groups: [Identifier: GlobalConfig.Entry] = [:]
        ) {
            self.revision = revision
            self.hash = hash
            self.groups = groups
        }
    }

    /// A revision, and what else its hash covers.
    public struct Record: Hashable, Sendable {
        public var revision: Revision
        public let token: [UInt8]

        public init(_ revision: Revision, token: [UInt8]) {
            self.revision = revision
            self.token = token
        }
    }

    /// How a request came out, for whoever passed it on.
    public struct Settled: Hashable, Sendable {
        public let id: String
        public let state: Request.State
        public let revision: Int?
        public let error: String?
        public var answer: Result<GroupReply, GroupError>?
        /// Until when it is kept: milliseconds since 1970, by the leader's clock; the next leader counts anew.
        public internal(set) var until: Int

        public init(
            id: String,
            state: Request.State,
            revision: Int? = nil,
            error: String? = nil,
            answer: Result<GroupReply, GroupError>? = nil,
            until: Int
        ) {
            self.id = id
            self.state = state
            self.revision = revision
            self.error = error
            self.answer = answer
            self.until = until
        }
    }

    public var base: Base
    /// Without a gap, the oldest first.
    public var records: [Record]
    public var lease: Lease
    /// Where the lease's holder runs, in the words of the place that keeps the snapshot.
    public var place: String
    /// The newest first.
    public var terms: [Term]
    /// In the order of their names.
    public var tags: [Tag]
    /// Of rejected revisions; the newest of them last.
    public var acknowledgements: [Acknowledgement]
    public var settled: [Settled]
    /// What was settled in an earlier epoch than this need not be in ``settled``: nobody remembered it when the snapshot was made
    /// anew from a copy.
    public var settledFrom: Int
    /// How the changes before ``records`` came out, as far back as it is kept.
    public var outcomes: PastOutcomes
    /// One more at every write of the place that keeps the snapshot: of two states of one term, which is the older.
    public var sequence: Int

    public init(
        base: Base = Base(),
        records: [Record] = [],
        lease: Lease = .none,
        place: String = "",
        terms: [Term] = [],
        tags: [Tag] = [],
        acknowledgements: [Acknowledgement] = [],
        settled: [Settled] = [],
        settledFrom: Int = 0,
        outcomes: PastOutcomes? = nil,
        sequence: Int = 0
    ) {
        self.base = base
        self.records = records
        self.lease = lease
        self.place = place
        self.terms = terms
        self.tags = tags
        self.acknowledgements = acknowledgements
        self.settled = settled
        self.settledFrom = settledFrom
        self.outcomes = outcomes ?? PastOutcomes(from: base.revision + 1)
        self.sequence = sequence
    }

    /// The newest revision; 0 in an empty history.
    public var newest: Int { records.last?.revision.number ?? base.revision }

    /// The history's hash up to the newest revision.
    public var hash: [UInt8] { records.last?.revision.hash ?? base.hash }

    /// The hash up to a revision; nil for one that is not in here.
    public func hash(at number: Int) -> [UInt8]? {
        if number == base.revision { return base.hash }
        guard number > base.revision, number <= newest else { return nil }
        return records[number - base.revision - 1].revision.hash
    }

    /// What every group is to be: of each the newest change that the plugin has not refused.
    public var groups: [Identifier: GlobalConfig.Entry] {
        var groups = base.groups
        for record in records { Self.apply(record.revision, to: &groups) }
        return groups
    }

    /// The groups that ``records`` change.
    public var changedGroups: Set<Identifier> { Set(records.flatMap(\.revision.groups)) }

    static func apply(_ revision: Revision, to groups: inout [Identifier: GlobalConfig.Entry]) {
        for change in revision.changes where change.status != .rejected {
            guard case .set(let properties, let plugin) = change.action else {
                groups[change.group] = nil
                continue
            }
            groups[change.group] = GlobalConfig.Entry(
                spec: GroupSpec(id: change.group, properties: properties),
                plugin: plugin
            )
        }
    }

    /// Whether every hash is that of its revision and of the one before.
    public var isSound: Bool {
        var previous = base
        for record in records {
            guard record.revision.number == previous.revision + 1,
                HashChain.hash(previous: previous.hash, HashChain.Entry(record)) == record.revision.hash
            else { return false }
            previous.revision += 1
            previous.hash = record.revision.hash
        }
        return true
    }
}

extension HashChain.Entry {
    init(_ record: Snapshot.Record) {
        let revision = record.revision
        self.init(
            number: revision.number,
            token: record.token,
            time: revision.time,
            epoch: revision.epoch,
            manager: revision.manager,
            user: revision.author.account ?? "",
            uid: revision.author.uid ?? -1,
            host: revision.author.host,
            operation: revision.operation.rawValue,
            target: revision.target ?? 0,
            message: revision.message,
            changes: revision.changes.map(HashChain.Effect.init)
        )
    }
}
