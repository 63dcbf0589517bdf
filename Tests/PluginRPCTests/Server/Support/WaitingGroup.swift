import GroupSPI
import NIOPosix
import Synchronization

/// Answers after it has waited for another thread, and remembers whether it went on on an event loop.
final class WaitingGroup: GroupEndpoint {
    private let log = Mutex<[Bool]>([])

    var places: [Bool] { log.withLock(\.self) }

    func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        await Task.detached { await Task.yield() }.value
        log.withLock { $0.append(MultiThreadedEventLoopGroup.currentEventLoop != nil) }
        return .groups([])
    }
}
