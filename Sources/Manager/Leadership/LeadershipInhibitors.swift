internal import Synchronization

/// Several parties may each have a reason why this replica must not lead. It may when none has.
final class LeadershipInhibitors: Sendable {
    private let reasons: Mutex<[String: String]>
    private let report: @Sendable (String?) -> Void

    init(_ reasons: [String: String] = [:], report: @escaping @Sendable (String?) -> Void) {
        self.reasons = Mutex(reasons)
        self.report = report
    }

    /// The reason that stands; the first by its party's name.
    var current: String? { reasons.withLock { $0.min { $0.key < $1.key }?.value } }

    func set(_ party: String, _ reason: String?) {
        reasons.withLock { reasons in
            let before = reasons.min { $0.key < $1.key }?.value
            reasons[party] = reason
            let after = reasons.min { $0.key < $1.key }?.value
            // Told inside the lock: two parties' reports must not overtake each other.
            if before != after { report(after) }
        }
    }
}
