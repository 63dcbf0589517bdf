/// A state as it goes into a label, with what it takes of the room there.
public struct EncodedAnnotation: Hashable, Sendable {
    /// How large a label may be.
    ///
    /// The swarm's log carries 1.5 MiB in one message, the whole swarm object in it: measured, a label of 1,571,419 bytes
    /// passes beside little else. What is kept free is for the requests of other nodes and for other labels.
    public struct Limit: Hashable, Sendable {
        public var maximum: Int
        /// From here on ``EncodedAnnotation/warning`` says so.
        public var warning: Int

        public init(maximum: Int = 1_400_000, warning: Int? = nil) {
            self.maximum = maximum
            self.warning = warning ?? maximum / 5 * 4
        }
    }

    public let text: String
    /// Of the text, in bytes.
    public let size: Int
    /// For a person, when little room is left.
    public let warning: String?

    /// - Throws: ``AnnotationError`` `tooLarge`.
    init(_ text: String, limit: Limit) throws(AnnotationError) {
        let size = text.utf8.count
        guard size <= limit.maximum else {
            throw AnnotationError(
                .tooLarge,
                "the groups take \(size) bytes of the swarm's label, compressed; at most \(limit.maximum) fit. "
                    + "Nothing was written. Make the groups' configuration smaller, or use a manager with a database "
                    + "(os)."
            )
        }
        self.text = text
        self.size = size
        self.warning =
            size < limit.warning
            ? nil
            : "the groups take \(size) of the \(limit.maximum) bytes that fit in the swarm's label; beyond that, "
                + "changes are refused"
    }
}
