/// Why a label cannot be read, or a state not be put into one.
public struct AnnotationError: Error, Hashable, Sendable {
    /// What kind of trouble. More cases may come: switch with a default.
    public enum Code: String, Sendable {
        /// No base64, no zlib, no JSON, or JSON that is no state.
        case corrupt
        /// More than a label carries, or than it may unfold to.
        case tooLarge
    }

    public let code: Code
    /// One or two sentences for a person: what was wrong, and what to do.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// How much of a reason is kept, in Unicode's scalars (a character may be made of any number): what it quotes of the
    /// label may be long.
    private static let longestReason = 500

    static func corrupt(_ reason: String, label: String) -> AnnotationError {
        let scalars = reason.unicodeScalars.prefix(longestReason)
        let reason = scalars.endIndex == reason.endIndex ? reason : String(scalars) + "…"
        return AnnotationError(
            .corrupt,
            "the swarm's label '\(label)' is damaged, or not InfraKit's: \(reason). Nothing was changed. Put back a "
                + "valid one, or remove it: then the leader writes its own state. See docs/swarm.md."
        )
    }
}

extension AnnotationError: CustomStringConvertible {
    public var description: String { message }
}
