internal import Synchronization

/// Which methods a plugin has said it does not know; kept as long as the connection.
final class CapabilityCache: Sendable {
    private let missing = Mutex(Set<String>())

    func isMissing(_ call: WireCall) -> Bool {
        missing.withLock { $0.contains(call.method) }
    }

    func add(missing method: String) {
        missing.withLock { _ = $0.insert(method) }
    }

    var isInUse: Bool { missing.withLock { !$0.isEmpty } }

    /// What was learned has led nowhere: ask again.
    func clear() {
        missing.withLock { $0.removeAll() }
    }

    /// The generation that the missing methods show; nil when they show none.
    var apiVersion: PeerDescription.APIVersion? {
        missing.withLock { missing in
            if !missing.isDisjoint(with: ["Group.CommitGroup", "Group.FreeGroup"]) { return .watch }
            if !missing.isDisjoint(with: ["Group.WatchGroup", "Group.UpdateGroup", "Group.UnwatchGroup"]) {
                return .commit
            }
            return nil
        }
    }
}
