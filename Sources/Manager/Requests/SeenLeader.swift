public import Store

/// What whoever asked has seen of a leader while they waited.
public enum SeenLeader: Hashable, Sendable {
    /// The lease was not read.
    case unknown
    /// Nobody holds the lease.
    case none
    /// Somebody holds it, and has not renewed it for so long that another may take it over.
    case silent(Lease, for: Duration)
    /// Somebody holds it; whether they live was not seen.
    case named(Lease)
    /// Somebody has renewed it meanwhile, or told what the request waits for.
    case alive(Lease, waitsFor: String?)
}

extension SeenLeader {
    /// Why a request was not taken up, as half a sentence.
    ///
    /// - Parameter patience: how long whoever asked has waited.
    public func inaction(within patience: Duration) -> String {
        switch self {
        case .unknown: "no leader accepted the request within \(patience.goText), and the lease could not be read"
        case .none: "nobody leads: no manager accepted the request within \(patience.goText)"
        case .silent(let lease, let silence):
            "nobody leads: \(lease.holder) has not renewed its lease (epoch \(lease.epoch)) for "
                + "\(Duration.seconds(silence.components.seconds).goText)"
        case .named(let lease):
            "no leader accepted the request within \(patience.goText); \(lease.holder) holds the lease (epoch "
                + "\(lease.epoch))"
        case .alive(let lease, nil):
            "\(lease.holder) leads (epoch \(lease.epoch)) but did not accept the request within \(patience.goText)"
        case .alive(let lease, let waitsFor?):
            "\(lease.holder) leads (epoch \(lease.epoch)), but after \(patience.goText) the request was still "
                + "waiting for \(waitsFor)"
        }
    }

    /// Of who leads, as far as is known.
    public var lease: Lease? {
        switch self {
        case .unknown, .none, .silent: nil
        case .named(let lease), .alive(let lease, _): lease
        }
    }

    /// Whether somebody is known to lead.
    public var isAlive: Bool {
        if case .alive = self { true } else { false }
    }
}
