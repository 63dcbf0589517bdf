internal import Store

/// What is known of the swarm's labels: as they were last read, or written by this node.
struct SwarmState {
    let cluster: String
    var position: SwarmPosition
    let version: UInt64
    /// The label that ``text`` is of; nil when there is none.
    var label: String?
    var text: String?
    var content: LabelContent
    /// What the content means to this node.
    var finding: LabelFinding
    var mailboxText: String?
    /// What this node knows of the mailbox may be newer than ``mailboxText``. Nil when it cannot be read.
    var mailbox: Mailbox?

    /// - Parameters:
    ///   - before: decoding what has not changed can be spared.
    ///   - known: the newest state that this node has seen.
    init(_ snapshot: SwarmSnapshot, before: SwarmState?, known: HistoryImage?, _ rules: SwarmRules) {
        cluster = snapshot.cluster
        version = snapshot.version
        position = SwarmPosition(seen: snapshot.version)
        (label, text, mailboxText) = (snapshot.label, snapshot.text, snapshot.mailbox)
        if let before, before.text == text, before.label == label {
            content = before.content
        } else {
            content = snapshot.content
        }
        finding = rules.find(content, label, known)
        // What others ask must not keep this node from what it has to do.
        mailbox = try? Mailbox(label: mailboxText)
    }

    /// The text that a write of the label begins with.
    var ownText: String? { label == Annotation.label ? text : nil }

    /// The newest state, when that is what the label holds.
    var image: HistoryImage? {
        guard case .current(let image) = finding else { return nil }
        return image
    }
}
