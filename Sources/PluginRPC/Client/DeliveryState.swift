internal import GroupSPI
internal import Synchronization

/// How far a call has come, for the error when it ends early: sent means that its outcome is in doubt.
final class DeliveryState: Sendable {
    /// True when the call as a whole only asks; then every request counts, else only those that change something.
    let isReadOnly: Bool
    private let sent = Mutex(false)
    private let rolls = Mutex(false)
    private let stops = Mutex(false)

    init(isReadOnly: Bool) {
        self.isReadOnly = isReadOnly
    }

    var isSent: Bool { sent.withLock { $0 } }

    /// An `UpdateGroup` waits for its answer, which comes when the last instance is replaced: after minutes, by design.
    var isRolling: Bool { rolls.withLock { $0 } }

    /// The call may be tried once more from its start: it changes nothing, or it has changed nothing yet.
    var mayStartAgain: Bool { isReadOnly || !isSent }

    /// A `StopUpdate` was sent before the group is let go. That may be done again, and on another connection.
    var hasBegunToStop: Bool { stops.withLock { $0 } }

    /// - Returns: false when it has begun before.
    func beginsToStop() -> Bool {
        stops.withLock { stops in
            defer { stops = true }
            return !stops
        }
    }

    /// Sends one request of the call and notes that it is under way.
    func send(_ call: WireCall, to peer: Peer) async throws(TransportError) -> JSONView {
        let counts = isReadOnly || call.changesState
        let before = sent.withLock { sent in
            defer { if counts { sent = true } }
            return sent
        }
        if call.isRoll { rolls.withLock { $0 = true } }
        defer { if call.isRoll { rolls.withLock { $0 = false } } }
        do {
            return try await peer.send(call)
        } catch {
            switch error {
            case .unreachable, .notSent, .missing: sent.withLock { $0 = before }
            default: break
            }
            throw error
        }
    }
}
