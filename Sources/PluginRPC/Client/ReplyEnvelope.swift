internal import GroupSPI

/// A reply as either dialect wraps it.
struct ReplyEnvelope: Sendable {
    enum Outcome: Sendable {
        case result(JSONView)
        /// The plugin's words. A manager that has not done what was asked, and not refused it either, says what kind of trouble
        /// it has.
        case error(String, kind: GroupError.Code? = nil)
    }

    /// Nil when the reply's id is no integer: it answers nothing that this client has asked.
    let id: Int?
    let outcome: Outcome
}
