internal import Replication

extension RegisterError {
    /// What an Engine's error means for the register.
    init(_ error: EngineError) {
        let code: Code =
            switch error.code {
            case .lostRace: .lostRace
            case .cancelled: .cancelled
            case .tooLarge: .tooLarge
            case .malformed: .malformed
            default: .unavailable
            }
        self.init(code, error.message, leavesOutcomeOpen: error.leavesOutcomeOpen, cause: error)
    }
}
