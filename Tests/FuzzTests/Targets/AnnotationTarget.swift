import GroupSPI
import Store

@testable import Swarm

/// The state in a label, below zlib's checksum: what is read is a history that is right in itself, is written again as it
/// was read, and can be gone on with. What cannot be read is an error, never a state without groups.
enum AnnotationTarget {
    static func run(_ input: [UInt8]) throws {
        let annotation: Annotation
        do throws(AnnotationError) {
            annotation = try Annotation(label: LabelText.encode(input))
        } catch {
            try require(
                (1...2000).contains(error.message.unicodeScalars.count),
                "a sentence of \(error.message.count) characters"
            )
            return
        }
        if annotation.groups.isEmpty { try saysThatThereAreNone(input) }
        let encoded = try annotation.encoded(limit: EncodedAnnotation.Limit(maximum: .max, warning: .max)).text
        try same(Annotation(label: encoded), annotation, "written and read again, it differs")
        try damage(encoded, annotation)
        if let snapshot = annotation.snapshot { try goOn(snapshot, annotation) }
    }

    private static func saysThatThereAreNone(_ input: [UInt8]) throws {
        let view = try JSONView(input, limits: LabelText.limits(.max))
        // The shape of 2018 is a list of objects of all kinds.
        if view.kind == .array { return }
        let groups = try require(view.member("Groups"), "a state without Groups")
        try require(groups.isNull || groups.members.isEmpty, "groups that are not read")
    }

    /// One bit that is wrong is found.
    private static func damage(_ text: String, _ annotation: Annotation) throws {
        var bytes = try Base64.decode(text.utf8)
        let bit = bytes.reduce(UInt64(bytes.count)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 } >> 7
        bytes[Int(bit / 8 % UInt64(bytes.count))] ^= 1 << UInt8(bit % 8)
        guard let read = try? Annotation(label: String(decoding: Base64.encode(bytes), as: UTF8.self)) else { return }
        // Some bits of the zlib format mean nothing.
        try same(read, annotation, "with a bit that is wrong, another state is read")
    }

    /// What a leader would do with it.
    private static func goOn(_ snapshot: Snapshot, _ annotation: Annotation) throws {
        try require(snapshot.isSound, "a history with wrong hashes")
        try same(snapshot.groups.values.count, annotation.groups.count, "groups of the history, and of the label")
        var snapshot = snapshot
        let candidate = Candidate(
            id: ReplicaID("n1/group")!,
            instance: "new",
            process: ProcessIdentity(host: "h", bootID: "b", pidNamespace: "n", pid: 1, startTime: 1),
            socket: "",
            pluginSocket: "",
            guardLock: ""
        )
        let lease = snapshot.acquire(
            candidate,
            watched: snapshot.lease,
            at: "n",
            floor: snapshot.lease.epoch,
            ttl: 1,
            reason: "",
            time: 1
        )
        let epoch = try require(lease, "the lease cannot be taken").epoch
        let fence = Fence(instance: "new", epoch: epoch, manager: "n1/group")
        let draft = RevisionDraft(
            author: Author(user: nil, uid: nil, host: "h"),
            operation: .commit,
            changes: [Change(group: "g", action: .free)]
        )
        let revision = try snapshot.append(draft, fence: fence, time: 1)
        try snapshot.record(Outcome(revision: revision.number, group: "g", status: .applied), fence: fence)
        snapshot.trim(to: Snapshot.Limits(records: 1, bytes: 0, terms: 1), time: 1)
        try require(snapshot.isSound && snapshot.newest == revision.number, "the history cannot be gone on with")
        snapshot.release(fence, reason: "", time: 2)
        let encoded = try Annotation(snapshot).encoded(limit: EncodedAnnotation.Limit(maximum: .max, warning: .max))
        _ = try Annotation(label: encoded.text)
    }
}
