internal import GroupSPI
internal import Terminal

/// Why a verb failed, in the words that the user reads.
struct Failure: Error, Hashable {
    /// The original prints an unreadable file at level error and all else at level fatal.
    enum Level: String {
        case error, fatal
    }

    let level: Level
    let message: String

    static func fatal(_ message: String) -> Failure { Failure(level: .fatal, message: message) }
    static func error(_ message: String) -> Failure { Failure(level: .error, message: message) }
}

extension Failure {
    init(_ error: GroupError) {
        self = .fatal(error.message)
    }

    init(_ error: StreamError) {
        self = .fatal("the output could not be written: \(error.reason)")
    }

    /// The answer is to another question: a fault of the plugin.
    static func unexpectedReply(to request: GroupRequest) -> Failure {
        .fatal("the plugin sent an invalid answer to \(request.method)")
    }
}
