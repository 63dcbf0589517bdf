public import GroupSPI
public import SeededRandom
public import Store

/// What leaders at random do to a snapshot, step by step, so that a test can do the same to something else.
public struct LeaderScript: Sendable {
    /// One edit, with all that is needed to make it elsewhere.
    public enum Step: Sendable {
        case acquired(Candidate, reason: String, Lease)
        case released(Fence, reason: String)
        case appended(RevisionDraft, Fence, Revision)
        case recorded(Outcome, Fence)
        /// `error`: why it was refused.
        case marked(MetadataChange, Author, Fence, error: StoreError.Code?)
        case ended(revision: Int, Confirmation.State, error: StoreError.Code?)
        case settled(Snapshot.Settled, error: StoreError.Code?)
        case answered(String, Result<GroupReply, GroupError>)
        case trimmed(Snapshot.Limits)
    }

    public private(set) var snapshot = Snapshot()
    public var generator: SeededGenerator
    /// Of the newest step: milliseconds since 1970.
    public private(set) var time = 1_000_000
    public private(set) var fence: Fence?
    /// Every fence that once was good.
    public private(set) var oldFences: [Fence] = []
    private let limits: [Snapshot.Limits]

    /// - Parameter limits: what to trim to, one of them at random; empty: never.
    public init(seed: UInt64, trimmingTo limits: [Snapshot.Limits] = []) {
        generator = SeededGenerator(seed)
        self.limits = limits
    }

    /// The lease that was watched is the snapshot's own, and was not to be had.
    struct Refused: Error {}

    public static let author = Author(user: "ann", uid: 1000, host: "h1")

    /// - Throws: what no edit of a script may throw.
    public mutating func step() throws -> Step {
        time += Int.random(in: 0...5000, using: &generator)
        guard let fence else { return try acquire() }
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<4: return try acquire()
        case 4..<6: return release(fence)
        case 6..<45: return try append(fence)
        case 45..<72: return try record(fence) ?? append(fence)
        case 72..<80: return mark(fence)
        case 80..<84: return end() ?? mark(fence)
        case 84..<90: return settle()
        case 90..<93: return answer()
        default: return trim() ?? settle()
        }
    }

    private mutating func acquire() throws -> Step {
        let number = Int.random(in: 1...3, using: &generator)
        let candidate = Candidate(
            id: ReplicaID("n\(number)/group")!,
            instance: String(generator.next(), radix: 16),
            process: ProcessIdentity(host: "n\(number)", bootID: "b", pidNamespace: "ns", pid: number, startTime: time),
            socket: "/run/n\(number)",
            pluginSocket: "/run/plugin",
            guardLock: "/run/guard"
        )
        let reason = "reason \(number)"
        if let fence { oldFences.append(fence) }
        guard
            let lease = snapshot.acquire(
                candidate,
                watched: snapshot.lease,
                at: "node\(number)",
                floor: 0,
                ttl: 9000,
                reason: reason,
                time: time
            )
        else { throw Refused() }
        fence = Fence(instance: lease.instance, epoch: lease.epoch, manager: lease.holder)
        return .acquired(candidate, reason: reason, lease)
    }

    private mutating func release(_ fence: Fence) -> Step {
        snapshot.release(fence, reason: "stopped", time: time)
        oldFences.append(fence)
        self.fence = nil
        return .released(fence, reason: "stopped")
    }

    private mutating func append(_ fence: Fence) throws -> Step {
        let draft = draft()
        return .appended(draft, fence, try snapshot.append(draft, fence: fence, time: time))
    }

    public mutating func draft() -> RevisionDraft {
        var groups = Set<Identifier>()
        let count = generator.isHit(perThousand: 250) ? Int.random(in: 2...4, using: &generator) : 1
        while groups.count < count, let name = Self.names.randomElement(using: &generator) { groups.insert(name) }
        let changes = groups.sorted().map { group -> Change in
            switch Int.random(in: 0..<10, using: &generator) {
            case 0, 1: Change(group: group, action: .free)
            case 2: Change(group: group, action: .destroy)
            default: Change(group: group, action: .set(properties(), plugin: plugin()))
            }
        }
        let operations: [Operation] = [.watch, .update, .commit, .free, .destroy, .rollback, .import]
        let operation = operations.randomElement(using: &generator) ?? .commit
        let token = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return RevisionDraft(
            author: generator.isHit(perThousand: 200) ? Author(user: nil, uid: nil, host: "") : Self.author,
            operation: operation,
            target: operation == .rollback ? Int.random(in: 1...9, using: &generator) : nil,
            message: generator.isHit(perThousand: 300) ? "why \u{201C}so\u{201D}\n\u{1F600}\u{0}" : "",
            changes: changes,
            confirmWithin: generator.isHit(perThousand: 100) ? 60_000 : nil,
            token: token
        )
    }

    public static let names: [Identifier] = [
        "", "a\"b/\u{E4}", "caf\u{E9}", "cafe\u{301}", "cattle", "db", "pets", "web",
    ]

    private mutating func plugin() -> Identifier {
        generator.isHit(perThousand: 150) ? "group-other" : "group-stateless"
    }

    /// Spelled in ways that no other spelling stands for.
    private mutating func properties() -> RawJSON {
        let number = Int.random(in: 0..<5, using: &generator)
        let texts = [
            "{\"Size\":\(number)}", "{ \"Size\" : \(number).50 , \"N\":[ ]}", "{\"u\":\"\\u00e4\u{E4}\u{1F600}\"}",
            "{\"Big\":1234567890123456789012\(number)}", "null", "{\"b\":1,\"a\":{\"b\":{}}}",
        ]
        return RawJSON(checked: Array((texts.randomElement(using: &generator) ?? "null").utf8))
    }

    private mutating func record(_ fence: Fence) throws -> Step? {
        guard let record = snapshot.records.randomElement(using: &generator),
            let change = record.revision.changes.randomElement(using: &generator)
        else { return nil }
        // Some for a change that is settled already, or a revision that is not there.
        let number =
            generator.isHit(perThousand: 50) ? Int.random(in: 0...99, using: &generator) : record.revision.number
        let outcome =
            generator.isHit(perThousand: 350)
            ? Outcome(revision: number, group: change.group, status: .rejected, error: "no \u{E4}")
            : Outcome(revision: number, group: change.group, status: .applied)
        try snapshot.record(outcome, fence: fence)
        return .recorded(outcome, fence)
    }

    private mutating func mark(_ fence: Fence) -> Step {
        let name = (["t1", "t2", "t3"] as [Identifier]).randomElement(using: &generator) ?? "t"
        let number = Int.random(in: 0...(snapshot.newest + 1), using: &generator)
        let mark: MetadataChange =
            switch Int.random(in: 0..<12, using: &generator) {
            case 0...5: .tag(name, revision: number, moving: generator.isHit(perThousand: 500))
            case 6, 7: .untag(name)
            case 10, 11: .acknowledge(refused() ?? snapshot.newest + 1, message: "seen \u{E4}")
            default: .confirm(waiting() ?? number)
            }
        do throws(StoreError) {
            try snapshot.apply(mark, author: Self.author, fence: fence, time: time)
            return .marked(mark, Self.author, fence, error: nil)
        } catch {
            return .marked(mark, Self.author, fence, error: error.code)
        }
    }

    private mutating func waiting() -> Int? {
        snapshot.records.map(\.revision).filter { $0.confirmation?.state == .waiting }.randomElement(using: &generator)?
            .number
    }

    /// Most of them were refused.
    private mutating func refused() -> Int? {
        let known = snapshot.records.map(\.revision)
        let refused = known.filter { $0.changes.contains { $0.status == .rejected } }
        return (generator.isHit(perThousand: 800) ? refused : known).randomElement(using: &generator)?.number
    }

    private mutating func end() -> Step? {
        guard let number = snapshot.records.filter({ $0.revision.confirmation != nil }).randomElement(using: &generator)
        else { return nil }
        let state: Confirmation.State = generator.isHit(perThousand: 500) ? .reverted : .overtaken
        do throws(StoreError) {
            try snapshot.endConfirmation(of: number.revision.number, as: state)
            return .ended(revision: number.revision.number, state, error: nil)
        } catch {
            return .ended(revision: number.revision.number, state, error: error.code)
        }
    }

    private mutating func settle() -> Step {
        let settled = Snapshot.Settled(
            id: "r\(Int.random(in: 0..<12, using: &generator))",
            state: generator.isHit(perThousand: 500) ? .done : .refused,
            revision: generator.isHit(perThousand: 500) ? snapshot.newest : nil,
            error: generator.isHit(perThousand: 300) ? "no \"\u{E4}\"" : nil,
            answer: generator.isHit(perThousand: 300) ? .success(.details("d")) : nil,
            until: time + Int.random(in: 0...60_000, using: &generator)
        )
        do throws(StoreError) {
            try snapshot.settle(settled)
            return .settled(settled, error: nil)
        } catch {
            return .settled(settled, error: error.code)
        }
    }

    private mutating func answer() -> Step {
        let id = "r\(Int.random(in: 0..<12, using: &generator))"
        let answers: [Result<GroupReply, GroupError>] = [
            .success(.ok), .success(.plan("p")), .failure(GroupError(.rejected, "no")),
        ]
        let answer = answers.randomElement(using: &generator) ?? .success(.ok)
        snapshot.answer(id, answer, until: time + 60_000)
        return .answered(id, answer)
    }

    private mutating func trim() -> Step? {
        guard let limits = limits.randomElement(using: &generator) else { return nil }
        snapshot.trim(to: limits, time: time)
        return .trimmed(limits)
    }
}
