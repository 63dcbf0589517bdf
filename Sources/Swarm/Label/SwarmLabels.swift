internal import Replication

/// What the swarm's labels held at one moment.
public struct SwarmLabels: Hashable, Sendable {
    /// The swarm's id.
    public let cluster: String
    /// The version that a change of the swarm would have to name.
    public let version: UInt64
    /// The label with a state, of those in ``Annotation/labels``; nil when there is none.
    public let label: String?
    /// That label's text, not decoded.
    public let text: String?
    /// The text of `RequestQueue/label`, not decoded.
    public let requests: String?

    public init(_ object: SwarmObject) {
        cluster = object.id
        version = object.version
        label = Annotation.labels.first { object.spec.label($0) != nil }
        text = label.flatMap { object.spec.label($0) }
        requests = object.spec.label(RequestQueue.label)
    }

    /// - Returns: nil when there is no label.
    /// - Throws: ``AnnotationError``; never takes a damaged label for none.
    public func annotation() throws(AnnotationError) -> Annotation? {
        guard let text else { return nil }
        return try Annotation(label: text)
    }

    /// The text that a write of the state's label begins with: the Go manager's older one is not written.
    var ownText: String? { label == Annotation.label ? text : nil }

    // MARK: - As a register

    /// - Parameter known: what was read before: what has not changed since is not decoded again.
    func state(since known: RegisterState? = nil) -> RegisterState {
        let tag = tag
        return RegisterState(
            cluster: cluster,
            version: version,
            content: known.flatMap { $0.tag == tag ? $0.content : nil } ?? content,
            tag: tag,
            size: text?.utf8.count ?? 0,
            isLegacy: label != nil && label != Annotation.label,
            requests: reading
        )
    }

    /// The name of the label, and its text.
    var tag: ContentTag { Self.tag(label, text) }

    static func tag(_ label: String?, _ text: String?) -> ContentTag {
        ContentTag(label.map { "\($0)=\(text ?? "")" } ?? "")
    }

    /// The text, of a tag of the label that is written.
    static func ownText(_ tag: ContentTag) -> String? {
        let prefix = "\(Annotation.label)="
        return tag.text.hasPrefix(prefix) ? String(tag.text.dropFirst(prefix.count)) : nil
    }

    /// A label without a text is another thing than none.
    static func requestTag(_ text: String?) -> ContentTag { ContentTag(text.map { "=\($0)" } ?? "") }

    static func requestText(_ tag: ContentTag) -> String? {
        tag.text.isEmpty ? nil : String(tag.text.dropFirst())
    }

    private var content: RegisterContent {
        do throws(AnnotationError) {
            guard let annotation = try annotation() else { return .absent }
            return annotation.snapshot.map { .ours($0) } ?? .foreign(annotation.groups)
        } catch {
            return .unreadable(error.message)
        }
    }

    /// What others ask must not keep this node from what it has to do.
    private var reading: RequestReading {
        let tag = Self.requestTag(requests)
        do throws(AnnotationError) {
            return RequestReading(try RequestQueue(label: requests), tag: tag)
        } catch {
            return RequestReading(nil, trouble: error.message, tag: tag)
        }
    }
}
