internal import GroupSPI
package import Replication

/// What nodes ask of the leader, in a label of its own.
extension RequestQueue {
    package static let label = "infrakit.requests"
    /// The most that the label takes, in bytes.
    package static let limit = 128 * 1024
    /// The most that it may unfold to, in bytes.
    private static let largestText = 4 * 1024 * 1024

    /// - Throws: ``AnnotationError`` `corrupt`.
    package init(label text: String?) throws(AnnotationError) {
        guard let text, !text.isEmpty else {
            self.init()
            return
        }
        let view = try LabelText.decode(text, limit: Self.largestText, label: Self.label)
        guard let requests = view.member("Requests"), requests.kind == .array else {
            throw .corrupt("it has no Requests", label: Self.label)
        }
        guard let queue = RequestQueue(elements: requests.elements) else {
            throw .corrupt("a request has no ID", label: Self.label)
        }
        self = queue
    }

    /// The label's text.
    ///
    /// - Throws: ``AnnotationError`` `tooLarge`.
    package func encoded() throws(AnnotationError) -> String {
        guard !isEmpty else { return "" }
        let text = try LabelText.encode((["Requests": .array(elements.map { .raw($0) })] as JSON).bytes)
        guard text.utf8.count <= Self.limit else {
            throw AnnotationError(
                .tooLarge,
                "the requests to the leader take \(text.utf8.count) bytes of the swarm's label '\(Self.label)', "
                    + "compressed; at most \(Self.limit) fit. Send the request on the node that leads."
            )
        }
        return text
    }
}
