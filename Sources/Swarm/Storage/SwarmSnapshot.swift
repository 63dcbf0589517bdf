/// What the swarm's labels held at one moment.
public struct SwarmSnapshot: Hashable, Sendable {
    /// The swarm's id.
    public let cluster: String
    /// The version that a change of the swarm would have to name.
    public let version: UInt64
    /// The label with a state, of those in ``Annotation/labels``; nil when there is none.
    public let label: String?
    /// That label's text, not decoded.
    public let text: String?
    /// The text of ``Mailbox/label``, not decoded.
    public let mailbox: String?

    init(_ object: SwarmObject) {
        cluster = object.id
        version = object.version
        label = Annotation.labels.first { object.spec.label($0) != nil }
        text = label.flatMap { object.spec.label($0) }
        mailbox = object.spec.label(Mailbox.label)
    }

    var content: LabelContent {
        do throws(AnnotationError) {
            guard let annotation = try annotation() else { return .absent }
            return annotation.image.map { .ours($0) } ?? .foreign(annotation.groups)
        } catch {
            return .unreadable(error)
        }
    }

    /// - Returns: nil when there is no label.
    /// - Throws: ``AnnotationError``; never takes a damaged label for none.
    public func annotation() throws(AnnotationError) -> Annotation? {
        guard let text else { return nil }
        return try Annotation(label: text)
    }
}
