internal import GroupSPI
internal import Manager
internal import PluginRPC
internal import ProcessGroup
internal import Store
internal import Swarm
internal import Terminal

/// Why a command failed: the sentence that a person reads and the status that a script reads.
///
/// The one place that turns errors into both.
struct Failure: Error {
    let message: String
    let status: ExitStatus
    /// Whoever asked did not want it any more.
    let isInterruption: Bool

    init(_ message: String, _ status: ExitStatus = .failed, isInterruption: Bool = false) {
        self.message = message
        self.status = status
        self.isInterruption = isInterruption
    }

    init(_ error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as StoreError: self.init(error.message, Self.status(error.code))
        case let error as SettingsError: self.init(error.message, .usage)
        case let error as GroupError: self.init(error.message, Self.status(error.code))
        case let error as EngineError: self.init(error.message, error.code == .settings ? .usage : .failed)
        case let error as PluginServerError: self.init(error.description)
        case let error as ProcessGroupError: self.init(error.description)
        case let error as StreamError: self.init("the output could not be written: \(error.reason)")
        default: self.init("\(error)")
        }
    }

    /// A request of which nothing came, and nothing will.
    init(_ nothing: NothingChanged, within patience: Duration) {
        switch nothing.why {
        case .interrupted: self.init("cancelled; nothing was changed", isInterruption: true)
        case .notSubmitted(let error): self.init(error)
        case .leaderChanged:
            let now = nothing.leader.lease.map { "; \($0.holder) leads in epoch \($0.epoch)" } ?? ""
            self.init(
                "the leader has changed since the request\(now); the request was cancelled, and nobody else steps down"
            )
        case .timeIsUp:
            self.init(
                "\(nothing.leader.inaction(within: patience)); the request was cancelled and nothing was changed",
                nothing.leader.isAlive ? .failed : .noLeader
            )
        }
    }

    /// A request that may still come true.
    init(_ unknown: UnknownEnd, within patience: Duration) {
        let cause = unknown.why == .interrupted ? "cancelled too late" : "no answer within \(patience.goText)"
        let state =
            unknown.revision.map { "it is recorded as revision \($0), but its outcome could not be read" }
            ?? "it may still be applied"
        let trouble = unknown.trouble.map { " (\($0.trouble))" } ?? ""
        self.init(
            "\(cause): \(state)\(trouble). Check `infrakit-manager history` before you try again.",
            .pending,
            isInterruption: unknown.why == .interrupted
        )
    }

    private static func status(_ code: StoreError.Code) -> ExitStatus {
        switch code {
        case .notFound, .conflict, .unexpectedCurrent, .malformed: .failed
        case .fenced: .notLeader
        default: .storeUnusable
        }
    }

    private static func status(_ code: GroupError.Code) -> ExitStatus {
        switch code {
        case .rejected: .rejected
        case .notLeader: .notLeader
        case .pending: .pending
        case .storeUnavailable: .storeUnusable
        default: .failed
        }
    }
}
