/// What is known, between two requests, of one write of a label. No clock and no socket.
struct SwapCourse {
    enum Look: Equatable {
        /// The label has the new text.
        case done
        /// The label has the old text: write, with the version of this look.
        case write
        /// Somebody else wrote, and this write has not taken place.
        case lost
        /// Somebody else wrote, before this write or over it.
        case unclear
    }

    let old: String?
    let new: String
    /// The versions with which the write was sent and of which no answer told what became of it.
    private var open: Set<UInt64> = []
    /// The one that is under way.
    private var underWay: UInt64?

    init(old: String?, new: String) {
        self.old = old
        self.new = new
    }

    mutating func look(at text: String?, version: UInt64) -> Look {
        if text == new { return .done }
        guard text == old else { return open.isEmpty ? .lost : .unclear }
        // The swarm has gone on with the old text: a write that names an earlier version cannot take place any more.
        // One that names this version still can; it does no harm to send it again, for one of the two will be refused.
        open = open.filter { $0 >= version }
        return .write
    }

    mutating func sent(version: UInt64) {
        underWay = version
    }

    /// Whether it is open what became of something that was sent.
    var isOpen: Bool { !open.isEmpty }

    /// - Returns: the error to end with; nil: look again.
    mutating func failed(_ error: EngineError) -> EngineError? {
        defer { underWay = nil }
        if let version = underWay {
            if error.code == .lostRace { return nil }
            if error.leavesOutcomeOpen { open.insert(version) }
        }
        // With nothing open there is nothing to find out.
        guard isOpen else { return error }
        return error.code == .cancelled || error.code == .unknownOutcome ? end(error) : nil
    }

    /// The error to end with when no more can be found out.
    func end(_ error: EngineError) -> EngineError {
        guard isOpen, error.code != .unknownOutcome else { return error }
        return EngineError(
            .unknownOutcome,
            "it is not known whether the swarm's label was written, and it may still be: \(error.message)",
            status: error.status,
            words: error.words
        )
    }

    /// The error to end with when the time is over.
    func timeout(_ label: String, after limit: Duration) -> EngineError {
        end(
            EngineError(
                .timeout,
                "the swarm's label '\(label)' could not be written within \(limit.milliseconds) ms. See whether the swarm's "
                    + "managers are well: docker node ls."
            )
        )
    }
}
