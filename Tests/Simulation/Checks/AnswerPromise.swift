internal import GroupSPI

/// What follows from an answer to a write, of the moment and of the end. docs/architecture.md has the answers.
public enum AnswerPromise: String, CaseIterable, Sendable {
    /// Once in the history and never called rejected; what it says has been carried out.
    case applied
    /// Once in the history, as applied.
    case kept
    /// Once in the history at most; in it, it is rejected and never takes effect.
    case refused
    /// Once in the history, as the revision that it names.
    case pending
    /// Not in the history.
    case nothing
    /// Once in the history at most.
    case unknown
    /// Of a command: all that it asks for stands already, for good.
    case stands
    /// Of a command: what it asks to be noted of a revision is noted.
    case noted

    /// - Returns: nil for an answer that no write may have.
    init?(_ answer: Result<GroupReply, GroupError>?) {
        switch answer {
        case nil: self = .unknown
        case .success: self = .applied
        case .failure(let error):
            switch error.code {
            case .rejected: self = .refused
            case .pending: self = error.message.contains("and applied nevertheless") ? .kept : .pending
            case .notLeader: self = .nothing
            case .storeUnavailable: self = error.message.contains("nothing was changed") ? .nothing : .unknown
            case .unknownOutcome: self = .unknown
            // It has no sense.
            case .badRequest: self = .nothing
            case .unsupported, .notRunning, .unreachable, .unreadable: return nil
            }
        }
    }
}
