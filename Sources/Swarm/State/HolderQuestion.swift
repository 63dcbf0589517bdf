internal import Store

/// Asks another manager on this very node whether it lives, through the label of requests: each living holder of the lease
/// takes the question away when it sees it, and does not renew before it has. No clock and no socket.
struct HolderQuestion {
    /// The instance that is asked.
    let holder: String
    let id: String
    private var state = State.open(seenAt: nil)

    private enum State {
        /// `seenAt`: when the question was first seen to lie there.
        case open(seenAt: ContinuousClock.Instant?)
        /// At that look it was gone: the holder lives.
        case answered(look: Int)
        case silent
    }

    init(holder: String) {
        self.holder = holder
        id = "\(Mailbox.questionPrefix)\(Request.makeID())"
    }

    /// Takes note of what lies in the mailbox.
    ///
    /// - Parameters:
    ///   - mailbox: nil when it cannot be read.
    ///   - askedAt: before it was read.
    ///   - silence: after so long without an answer, by looks that began after it, the holder does not live.
    mutating func look(
        _ mailbox: Mailbox?,
        askedAt: ContinuousClock.Instant,
        at now: ContinuousClock.Instant,
        number: Int,
        silence: Duration
    ) {
        guard let mailbox, case .open(let seenAt) = state else { return }
        switch (mailbox.ids.contains(id), seenAt) {
        case (true, nil): state = .open(seenAt: now)
        case (true, let seenAt?): if askedAt - seenAt >= silence { state = .silent }
        case (false, .some): state = .answered(look: number)
        case (false, nil): break
        }
    }

    /// Whether it is still to be put into the mailbox.
    var isToBeAsked: Bool {
        guard case .open(nil) = state else { return false }
        return true
    }

    /// Whether the one who is asked has certainly stopped acting.
    func isSilent(_ holder: String) -> Bool {
        guard case .silent = state else { return false }
        return holder == self.holder
    }

    /// An answer is not for ever.
    func isOutdated(_ look: Int, after count: Int) -> Bool {
        guard case .answered(let answered) = state else { return false }
        return look - answered > count
    }
}
