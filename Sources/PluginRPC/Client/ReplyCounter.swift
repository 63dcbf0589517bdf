internal import Synchronization

/// Counts the replies of a link, for ``Transport/replyCount``.
final class ReplyCounter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment() {
        count.add(1, ordering: .relaxed)
    }
}
