internal import GroupSPI

/// Why a call over one connection gave no result.
enum TransportError: Error, Hashable, Sendable {
    /// Nobody listens there. A sentence that names the place.
    case notRunning(String)
    /// No connection: nothing was delivered. A sentence that names the place.
    case unreachable(String)
    /// The connection was gone before the request was written.
    case notSent(String)
    /// The request was sent, and the connection ended before its answer.
    case lost(String)
    /// An answer that is none; says what came instead: "a reply that …".
    case malformedReply(String)
    /// What came is no message of the protocol that the connection was taken to speak; says what it is.
    case foreign(String)
    /// The plugin's own error.
    case rejected(String)
    /// The plugin does not know the method; its own words.
    case missing(method: String, words: String)
    /// No method of the plugin's generation does what was asked. A sentence.
    case unsupported(String)
    /// The request itself cannot be carried out.
    case refused(GroupError)
    /// The caller gave up, or the time ran out.
    case cancelled
}

extension TransportError {
    /// The connection, or what was known of the peer, is of no further use.
    var endsTransport: Bool {
        switch self {
        case .notRunning, .unreachable, .notSent, .lost, .malformedReply, .foreign: true
        case .rejected, .missing, .unsupported, .refused, .cancelled: false
        }
    }

    /// The error as the callers of a plugin see it.
    ///
    /// - Parameters:
    ///   - plugin: its name.
    ///   - method: what was called.
    ///   - isQuestion: it changes nothing, so nobody asks whether it was carried out.
    func groupError(plugin: Identifier, method: String, isQuestion: Bool) -> GroupError {
        let doubt = isQuestion ? "" : "; whether it was carried out is not known"
        return switch self {
        case .notRunning(let sentence):
            GroupError(.notRunning, sentence)
        case .unreachable(let sentence):
            GroupError(.unreachable, sentence)
        case .notSent(let reason):
            GroupError(.unreachable, "\(method) was not sent to plugin '\(plugin)': \(reason)")
        case .lost(let reason):
            GroupError(.unknownOutcome, "plugin '\(plugin)' did not answer \(method): \(reason)\(doubt)")
        case .malformedReply(let what), .foreign(let what):
            GroupError(.unreadable, "plugin '\(plugin)' answered \(method) with \(what)\(doubt)")
        case .rejected(let words), .missing(_, let words):
            GroupError(
                .rejected,
                words.isEmpty ? "plugin '\(plugin)' refused \(method) without a reason" : words
            )
        case .unsupported(let sentence):
            GroupError(.unsupported, sentence)
        case .refused(let error):
            error
        case .cancelled:
            GroupError(.unknownOutcome, "the call of \(method) on plugin '\(plugin)' was cancelled\(doubt)")
        }
    }
}
