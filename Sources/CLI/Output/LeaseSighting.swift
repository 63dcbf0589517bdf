internal import Manager
internal import Store
internal import Terminal

/// What this host can say of a lease whose times are of another host's clock.
enum LeaseSighting {
    /// The two clocks need not differ: it was renewed within the ttl, by what the row says.
    case plausible
    /// It was seen to be renewed. The leader's clock is ahead by about so long, or behind.
    case renewed(ahead: Duration)
    /// It has stood still for a whole ttl on this host's own clock.
    case still
    /// Somebody has taken it over, or released it meanwhile.
    case changed

    /// Watches a row whose times cannot be right by this host's clock, until its holder renews it: for a ttl at most.
    static func look(at lease: Lease, in store: Store, _ session: Session) async -> LeaseSighting {
        let ttl = Duration.milliseconds(lease.ttl)
        guard lease.isHeld, !isPlausible(lease, now: session.now()) else { return .plausible }
        let start = ContinuousClock.now
        var before = session.now()
        while ContinuousClock.now - start <= ttl {
            let pause = min(Duration.milliseconds(100), ttl / 20)
            guard (try? await Task.sleep(for: pause, clock: .suspending)) != nil else { return .plausible }
            let asked = session.now()
            // One that cannot be read is no sign of life, and none of death.
            guard let seen = try? await store.lease(within: commandTimeout) else { return .plausible }
            guard seen.epoch == lease.epoch, seen.isHeld else { return .changed }
            if seen.sequence != lease.sequence {
                // Written after the look before, by the leader's clock, and before the end of this one.
                let middle = (before.milliseconds + session.now().milliseconds) / 2
                return .renewed(ahead: .milliseconds(seen.renewedAt - middle))
            }
            before = asked
        }
        return .still
    }

    private static func isPlausible(_ lease: Lease, now: Timestamp) -> Bool {
        let age = now.milliseconds - lease.renewedAt
        return age >= -1000 && age <= lease.ttl
    }

    /// Nil where there is nothing to tell.
    var clockText: String? {
        guard case .renewed(let ahead) = self else { return nil }
        let size = max(ahead, .zero - ahead)
        // To the second: a look takes as long as that.
        let text = Duration.seconds((size.milliseconds + 500) / 1000).goText
        return "its clock is about \(text) \(ahead < .zero ? "behind" : "ahead of") this host's"
    }
}
