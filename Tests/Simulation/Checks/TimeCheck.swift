internal import ManagerModels
internal import Store

/// What lasts, lasts as long as was said: compared with the true time, which no replica knows.
struct TimeCheck {
    /// When each revision was stored, in nanoseconds of true time.
    private var stored: [Int] = []
    /// Which confirmations have ended.
    private var ended: Set<Int> = []
    private var whole = 1

    /// - Returns: what is wrong; nil when nothing is.
    mutating func compare(_ model: StoreModel, at now: Int, _ policy: RetentionPolicy) -> String? {
        while stored.count < model.revisions.count { stored.append(now) }
        return undone(model, at: now) ?? removed(model, at: now, policy)
    }

    private mutating func undone(_ model: StoreModel, at now: Int) -> String? {
        for confirmation in model.confirmations where confirmation.state != .waiting {
            guard ended.insert(confirmation.revision).inserted, confirmation.state != .confirmed else { continue }
            let passed = (now - stored[confirmation.revision - 1]) / 1_000_000
            guard passed < Self.least(confirmation.allowed) else { continue }
            return "revision \(confirmation.revision) was undone after \(passed) ms, of \(confirmation.allowed) ms "
                + "in which it might be confirmed"
        }
        return nil
    }

    private mutating func removed(_ model: StoreModel, at now: Int, _ policy: RetentionPolicy) -> String? {
        defer { whole = model.whole }
        for number in whole..<max(whole, model.whole) {
            let isBeyondLimit = policy.limit.map { number <= model.revisions.count - $0 } ?? false
            let age = (now - stored[number - 1]) / 1_000_000
            let isOld = policy.maximumAge.map { age >= Self.least($0) } ?? false
            if number == model.revisions.count { return "the newest revision, \(number), was removed" }
            if !isBeyondLimit, !isOld { return "revision \(number) was removed at an age of \(age) ms" }
        }
        return nil
    }

    /// A clock that runs too fast by a twentieth, which is the worst of those here, is believed.
    private static func least(_ milliseconds: Int) -> Int { milliseconds * 20 / 21 - 1 }
}
