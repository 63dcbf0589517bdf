internal import GroupSPI
internal import Replication
public import Store

/// The state of all groups as it lies in a label of the swarm: JSON, packed with zlib, in base64.
///
/// The JSON is that of InfraKit's Go manager, which can go on reading it: `{"Groups": {id: {"Plugin", "Properties": {"ID",
/// "Properties"}}}}`. Beside `Groups` it has members of this manager, which the Go manager does not see.
public struct Annotation: Hashable, Sendable {
    /// The label that is written.
    public static let label = "infrakit"
    /// The labels that are read, the better one first.
    public static let labels = [label, "infrakit.specs"]
    /// The most that a label may unfold to, in bytes.
    public static let largestText = 16 * 1024 * 1024

    /// In the order of their names.
    public let groups: [GlobalConfig.Entry]
    /// The history's newest part; nil when the Go manager wrote the label.
    public let snapshot: Snapshot?

    public init(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        groups = snapshot.groups.values.sorted { $0.spec.id < $1.spec.id }
    }

    /// As the Go manager writes it.
    public init(groups: [GlobalConfig.Entry]) {
        self.groups = groups
        snapshot = nil
    }

    /// Packs the state. The same state gives the same text, with one release of zlib.
    ///
    /// - Throws: ``AnnotationError`` `tooLarge`, before anything is written anywhere.
    public func encoded(
        limit: EncodedAnnotation.Limit = EncodedAnnotation.Limit()
    ) throws(AnnotationError) -> EncodedAnnotation {
        var members: [JSON.Member] = []
        if case .object(let known) = GlobalConfig.encode(groups) { members = known }
        if let snapshot { members += SnapshotCodec.encode(snapshot) }
        let bytes = JSON.object(members).bytes
        guard bytes.count <= Self.largestText else {
            throw AnnotationError(
                .tooLarge,
                "the groups take \(bytes.count) bytes; readers of the swarm's label accept at most "
                    + "\(Self.largestText). Nothing was written. Make the groups' configuration smaller."
            )
        }
        let text = try LabelText.encode(bytes)
        return try EncodedAnnotation(text, limit: limit)
    }

    /// Reads a label, whoever wrote it.
    ///
    /// - Throws: ``AnnotationError`` `corrupt`, also for an empty label: a state that cannot be read is never taken for
    ///   one without groups. `tooLarge` for one that unfolds beyond ``largestText``.
    public init(label text: String) throws(AnnotationError) {
        let view = try LabelText.decode(text, limit: Self.largestText, label: Self.label)
        // An object without Groups is somebody else's; the Go manager writes null for none.
        guard view.kind == .array || view.member("Groups") != nil else {
            throw .corrupt("it has no Groups", label: Self.label)
        }
        do {
            groups = try GlobalConfig.decode(Array(view.bytes), limits: LabelText.limits(Self.largestText))
            snapshot = try SnapshotCodec.decode(view, groups)
        } catch let error as SnapshotCodec.Unreadable {
            throw .corrupt(error.reason, label: Self.label)
        } catch {
            throw .corrupt("\(error)", label: Self.label)
        }
    }
}
