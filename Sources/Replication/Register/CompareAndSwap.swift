internal import Store

/// How a write behaves when the register does not say yes or no.
package struct SwapSettings: Hashable, Sendable {
    /// For one request.
    package var requestLimit: Duration
    /// How often a write is sent of which no answer tells what became of it, at most. One that was certainly refused, as
    /// somebody else wrote at that moment, counts for nothing.
    package var attempts: Int
    /// How long all of it may take: sending, and finding out what became of it.
    package var limit: Duration
    /// Before looking again at what is open; doubles up to a second.
    package var pause: Duration
    /// Before trying again after somebody else's write: a random part of it, which doubles up to ``longestBackoff``. Those who write
    /// in a loop need some milliseconds for a round; whoever waits for much longer than that never meets a gap, and whoever does
    /// not wait at all leaves none to others.
    package var backoff = Duration.milliseconds(2)
    package var longestBackoff = Duration.milliseconds(60)

    package init(
        requestLimit: Duration = .seconds(2),
        attempts: Int = 5,
        limit: Duration = .seconds(15),
        pause: Duration = .milliseconds(100)
    ) {
        self.requestLimit = requestLimit
        self.attempts = attempts
        self.limit = limit
        self.pause = pause
    }
}

/// Replaces a text in something that knows no compare-and-swap of one text: it takes a write that names the version it was made
/// from, and that version rises for reasons that are nobody's write. So losing it means to look again.
package struct CompareAndSwap: Sendable {
    /// What was read, and what a write has to name.
    package struct Reading<Object: Sendable>: Sendable {
        package let object: Object
        package let version: UInt64
        package let text: String?

        package init(_ object: Object, version: UInt64, text: String?) {
            self.object = object
            self.version = version
            self.text = text
        }
    }

    /// For sentences: what is replaced.
    private let name: String
    private let terminology: RegisterTerminology
    private let settings: SwapSettings
    private let clock: ReplicationClock

    package init(
        of name: String,
        _ terminology: RegisterTerminology,
        settings: SwapSettings,
        clock: ReplicationClock
    ) {
        self.name = name
        self.terminology = terminology
        self.settings = settings
        self.clock = clock
    }

    /// - Parameters:
    ///   - old: the text that the caller began with; nil: none.
    ///   - new: has to differ from every text that there was before.
    ///   - limit: for all of it, instead of that of the settings.
    ///   - mayWrite: asked right before every sending; false ends it.
    ///   - read: looks what is there.
    ///   - prepare: what is to be written over what was read. What it throws ends it.
    ///   - write: sends that, with the version of the reading.
    /// - Returns: the version in which the new text was seen, or on which it was written.
    /// - Throws: ``RegisterError``: `lostRace` when somebody else wrote, `unknownOutcome` when it cannot be told whether
    ///   the write took place. After any other nothing was written.
    package func run<Object: Sendable, Next: Sendable>(
        from old: String?,
        to new: String,
        within limit: Duration? = nil,
        while mayWrite: @Sendable () -> Bool = { true },
        read: () async throws(RegisterError) -> Reading<Object>,
        prepare: (Object) throws(RegisterError) -> Next,
        write: (Next, UInt64) async throws(RegisterError) -> Void
    ) async throws(RegisterError) -> ResourceVersion {
        var course = SwapAttempt(old: old, new: new)
        let limit = limit ?? settings.limit
        let end = clock.now() + limit
        var pause = settings.pause
        var backoff = settings.backoff
        var sent = 0
        var races = 0
        while true {
            // Whether this round has ended with a certain refusal of what it sent.
            var (wasSent, wasRace) = (false, false)
            do throws(RegisterError) {
                let reading = try await read()
                switch course.look(at: reading.text, version: reading.version) {
                case .done: return ResourceVersion(seen: reading.version)
                case .lost: throw lostRace
                case .unclear: throw overwritten
                case .write where sent < settings.attempts:
                    guard mayWrite() else { throw notAllowed }
                    let next = try prepare(reading.object)
                    (sent, wasSent) = (sent + 1, true)
                    course.sent(version: reading.version)
                    try await write(next, reading.version)
                    return ResourceVersion(writtenOn: reading.version)
                // What was sent may still come through; sending more does not help.
                case .write: break
                }
            } catch {
                if let end = course.failed(error) { throw ended(by: end, course) }
                wasRace = wasSent && error.code == .lostRace
            }
            if wasRace {
                races += 1
                sent -= 1
            }
            guard clock.now() < end else {
                throw races > 0 && !course.isOpen
                    ? outrun(races, limit) : ended(by: timeout(after: limit), course)
            }
            do {
                try await clock.sleep(wasRace ? clock.jitter(backoff) : pause)
            } catch {
                throw ended(by: RegisterError(.cancelled, "the caller has given up"), course)
            }
            if wasRace {
                backoff = min(backoff * 2, settings.longestBackoff)
            } else {
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    // MARK: - How it ends

    /// While it is open what became of something, no error is a clear no.
    private func ended(by error: RegisterError, _ course: SwapAttempt) -> RegisterError {
        guard course.isOpen, error.code != .unknownOutcome else { return error }
        return RegisterError(
            .unknownOutcome,
            "it is not known whether \(terminology.place) was written; it may still be: \(error.message)",
            cause: error.cause
        )
    }

    private func timeout(after limit: Duration) -> RegisterError {
        RegisterError(
            .unavailable,
            "\(name) could not be written within \(limit.milliseconds) ms. \(terminology.advice)"
        )
    }

    private var lostRace: RegisterError {
        RegisterError(
            .lostRace,
            "somebody else changed \(name); nothing was written. Read it again, then decide."
        )
    }

    private var overwritten: RegisterError {
        RegisterError(
            .unknownOutcome,
            "\(terminology.server) did not say whether it wrote \(name), and somebody else has written it since. Read "
                + "it again."
        )
    }

    private var notAllowed: RegisterError {
        RegisterError(.cancelled, "this replica may not write \(name) any more")
    }

    private func outrun(_ races: Int, _ limit: Duration) -> RegisterError {
        RegisterError(
            .contended,
            "others changed the \(terminology.cluster) at each of \(races) attempts to write \(name) within "
                + "\(limit.milliseconds) ms; nothing was written. Find the program that updates the "
                + "\(terminology.cluster) in a loop, and try again."
        )
    }
}

/// What is known, between two requests, of one write. No clock and no socket.
struct SwapAttempt {
    enum Look: Equatable {
        /// The new text is there.
        case done
        /// The old text is there: write, with the version of this look.
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
        // The register has gone on with the old text: a write that names an earlier version cannot take place any more.
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
    mutating func failed(_ error: RegisterError) -> RegisterError? {
        defer { underWay = nil }
        if let version = underWay {
            if error.code == .lostRace { return nil }
            if error.leavesOutcomeOpen { open.insert(version) }
        }
        // With nothing open there is nothing to find out.
        guard isOpen else { return error }
        return error.code == .cancelled || error.code == .unknownOutcome ? error : nil
    }
}
