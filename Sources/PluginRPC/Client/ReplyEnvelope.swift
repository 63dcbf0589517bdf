internal import GroupSPI

/// A reply as either dialect wraps it.
struct ReplyEnvelope: Sendable {
    enum Outcome: Sendable {
        case result(JSONView)
        /// The plugin's words.
        case error(String)
    }

    /// Nil when the reply's id is no integer: it answers nothing that this client has asked.
    let id: Int?
    let outcome: Outcome
}
