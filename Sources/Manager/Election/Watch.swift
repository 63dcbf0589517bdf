internal import Store

/// A row of the lease that stands still, as far as looks have shown.
///
/// Time in which nobody looked is not waiting: an older copy may have lain in the place of the file meanwhile, and its holder may
/// have renewed there, and so kept its groups, without a trace in the newer file (docs/storage.md). So what was waited grows
/// by looks alone, each of which joins the one before it or begins anew.
struct Watch: Sendable {
    /// One reading of the row: its content is of some moment between the two.
    struct Look: Sendable {
        fileprivate let lease: Lease
        fileprivate let from: BootInstant
        fileprivate let to: BootInstant

        init(of lease: Lease, from: BootInstant, to: BootInstant) {
            (self.lease, self.from, self.to) = (lease, from, to)
        }
    }

    let lease: Lease
    /// When the row was first seen as it is: for people, who are told how old it is.
    let since: BootInstant
    /// When the looks that count began; measured after the first reading.
    let waitsSince: BootInstant
    /// When the newest of them began, measured before its reading.
    let lookedAt: BootInstant

    /// Nothing was waited yet.
    init(_ look: Look) {
        self.init(look, since: look.to, waitsSince: look.to)
    }

    private init(_ look: Look, since: BootInstant, waitsSince: BootInstant, lookedAt: BootInstant? = nil) {
        (lease, self.since, self.waitsSince) = (look.lease, since, waitsSince)
        self.lookedAt = max(look.from, lookedAt ?? look.from)
    }

    /// In an older copy of the file the numbers may be the same: what was waited there does not count.
    func isOf(_ lease: Lease) -> Bool {
        self.lease.epoch == lease.epoch && self.lease.sequence == lease.sequence
            && self.lease.suspension == lease.suspension
    }

    /// The same row was read once more.
    ///
    /// - Parameter gap: what may lie between the beginnings of two looks that show something of the time between them.
    func joined(by look: Look, atMost gap: Duration) -> Watch {
        let isNear = look.from - lookedAt <= gap
        return Watch(look, since: since, waitsSince: isNear ? waitsSince : look.to, lookedAt: lookedAt)
    }

    /// How long it has certainly stood still: from after the first reading to before the last, none missing between them.
    var waited: Duration { max(.zero, lookedAt - waitsSince) }
}
