internal import Store

/// What is known of the swarm's labels: as they were last read, or written by this node.
struct SwarmState {
    let cluster: String
    var position: SwarmPosition
    let version: UInt64
    /// The label that ``text`` is of; nil when there is none.
    var label: String?
    var text: String?
    /// Nil when there is no label, or the Go manager wrote it.
    var image: HistoryImage?
    /// The Go manager's groups; nil when it did not write the label.
    var foreign: [GlobalConfig.Entry]?
    var mailboxText: String?
    /// What this node knows of the mailbox may be newer than ``mailboxText``. Nil when it cannot be read.
    var mailbox: Mailbox?

    /// - Parameter known: decoding what has not changed can be spared.
    init(_ snapshot: SwarmSnapshot, known: SwarmState?) throws(AnnotationError) {
        cluster = snapshot.cluster
        version = snapshot.version
        position = SwarmPosition(seen: snapshot.version)
        (label, text, mailboxText) = (snapshot.label, snapshot.text, snapshot.mailbox)
        if let known, known.text == text, known.label == label {
            (image, foreign) = (known.image, known.foreign)
        } else if let annotation = try snapshot.annotation() {
            image = annotation.image
            foreign = annotation.image == nil ? annotation.groups : nil
        }
        // What others ask must not keep this node from what it has to do.
        mailbox = try? Mailbox(label: mailboxText)
    }

    /// The text that a write of the label begins with.
    var ownText: String? { label == Annotation.label ? text : nil }
}
