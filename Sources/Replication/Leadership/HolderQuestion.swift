internal import Store

/// Asks another manager on this very node whether it lives, through the requests in the register: each living holder of the lease
/// takes the question away when it sees it, and does not renew before it has. No clock and no socket.
///
/// What is asked about is one term. A manager whose term has ended does not answer, however well it is; it may have
/// the lease again a moment later, and then nobody has asked it yet.
struct HolderQuestion {
    private struct Term: Hashable {
        let instance: String
        let epoch: Int

        init(_ lease: Lease) { (instance, epoch) = (lease.instance, lease.epoch) }
    }

    private let term: Term
    let id: String
    private var state = State.open(seenAt: nil)

    private enum State {
        /// `seenAt`: when the question was first seen to lie there.
        case open(seenAt: ContinuousClock.Instant?)
        /// At that look it was gone: the holder lives.
        case answered(look: Int)
        case silent
    }

    /// - Parameter lease: of the term that is asked about.
    init(about lease: Lease) {
        term = Term(lease)
        id = "\(RequestQueue.questionPrefix)\(Request.makeID())"
    }

    /// Takes note of the requests in the register.
    ///
    /// - Parameters:
    ///   - queue: nil when it cannot be read.
    ///   - askedAt: before it was read.
    ///   - silence: after so long without an answer, by looks that began after it, the holder does not live.
    mutating func look(
        _ queue: RequestQueue?,
        askedAt: ContinuousClock.Instant,
        at now: ContinuousClock.Instant,
        number: Int,
        silence: Duration
    ) {
        guard let queue, case .open(let seenAt) = state else { return }
        switch (queue.ids.contains(id), seenAt) {
        case (true, nil): state = .open(seenAt: now)
        case (true, let seenAt?): if askedAt - seenAt >= silence { state = .silent }
        case (false, .some): state = .answered(look: number)
        case (false, nil): break
        }
    }

    /// Whether it is still to be put into the register.
    var isToBeAsked: Bool {
        guard case .open(nil) = state else { return false }
        return true
    }

    func isAbout(_ lease: Lease) -> Bool { term == Term(lease) }

    /// Whether whoever holds that lease has certainly stopped acting under it.
    func isSilent(about lease: Lease) -> Bool {
        guard case .silent = state else { return false }
        return isAbout(lease)
    }

    /// An answer is not for ever.
    func isOutdated(_ look: Int, after count: Int) -> Bool {
        guard case .answered(let answered) = state else { return false }
        return look - answered > count
    }
}
