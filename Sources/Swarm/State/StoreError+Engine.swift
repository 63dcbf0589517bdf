internal import Store

extension StoreError {
    /// What an Engine's error means for the store.
    init(_ error: EngineError, isWrite: Bool) {
        let code: StoreError.Code
        switch error.code {
        case .lostRace, .cancelled: code = isWrite ? .fenced : .busy
        case .unknownOutcome: code = .unknownOutcome
        case .tooLarge: code = .tooLarge
        case .conflict: code = .conflict
        case .malformed: code = isWrite ? .busy : .corrupt
        default: code = .busy
        }
        self.init(code, error.message)
    }
}
