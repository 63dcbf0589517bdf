package import Store

/// Why a register did not do, or did not say, what was asked.
package struct RegisterError: Error, Sendable {
    package enum Code: String, Sendable {
        /// Somebody else's write came first.
        case lostRace
        /// Others wrote all the time; nothing was written.
        case contended
        /// What the write was to change together with the snapshot is not as it was.
        case conflict
        /// More than the register carries.
        case tooLarge
        /// An answer that cannot be understood.
        case malformed
        /// Nobody can tell whether a write took place.
        case unknownOutcome
        /// The caller gave up, or may not write any more.
        case cancelled
        /// No answer, or a no for another reason.
        case unavailable
    }

    package let code: Code
    /// One or two sentences for a person: what is wrong, and what to do.
    package let message: String
    /// Whether a write that ended so may have taken place, or may still take place.
    package let leavesOutcomeOpen: Bool
    /// What the register's own client said, where it was that.
    package let cause: (any Error & Sendable)?

    package init(
        _ code: Code,
        _ message: String,
        leavesOutcomeOpen: Bool? = nil,
        cause: (any Error & Sendable)? = nil
    ) {
        self.code = code
        self.message = message
        self.leavesOutcomeOpen = leavesOutcomeOpen ?? [.unknownOutcome, .cancelled, .malformed].contains(code)
        self.cause = cause
    }
}

extension RegisterError: Equatable {
    /// Whatever caused it.
    package static func == (left: RegisterError, right: RegisterError) -> Bool {
        left.code == right.code && left.message == right.message && left.leavesOutcomeOpen == right.leavesOutcomeOpen
    }
}

extension RegisterError: CustomStringConvertible {
    package var description: String { message }
}

extension StoreError {
    /// What a register's error means for the store.
    package init(_ error: RegisterError, isWrite: Bool) {
        let code: StoreError.Code =
            switch error.code {
            case .lostRace, .cancelled: isWrite ? .fenced : .busy
            case .unknownOutcome: .unknownOutcome
            case .tooLarge: .tooLarge
            case .conflict: .conflict
            case .malformed: isWrite ? .busy : .corrupt
            case .contended, .unavailable: .busy
            }
        self.init(code, error.message)
    }
}
