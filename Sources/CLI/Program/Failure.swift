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

    init(_ message: String, _ status: ExitStatus = .failed) {
        self.message = message
        self.status = status
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
        case let error as StreamError: self.init("the result could not be written: \(error.reason)")
        default: self.init("\(error)")
        }
    }

    private static func status(_ code: StoreError.Code) -> ExitStatus {
        switch code {
        case .notFound, .conflict, .malformed: .failed
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
