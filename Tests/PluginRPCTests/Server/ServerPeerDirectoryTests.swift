import Dispatch
import GroupSPI
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import PluginRPC

@Suite("Who calls is known by number when the user database is away")
struct ServerPeerDirectoryTests {
    @Test("and nobody waits for it for long")
    func hangs() async throws {
        let asked = Mutex<[UInt32]>([])
        let gate = DispatchSemaphore(value: 0)
        let peers = PeerDirectory { uid in
            asked.withLock { $0.append(uid) }
            gate.wait()
            return Identifier("user \(uid)")
        }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        async let first = peers.caller(7, on: loop).get()
        async let second = peers.caller(7, on: loop).get()
        async let other = peers.caller(8, on: loop).get()
        for caller in try await [first, second] { #expect(caller.user == nil && caller.uid == 7) }
        #expect(try await other.uid == 8)
        // One question, and it stands.
        #expect(asked.withLock { $0 } == [7])
        gate.signal()
        gate.signal()
        try await eventually { peers.knownCaller(7)?.user == "user 7" && peers.knownCaller(8)?.user == "user 8" }
        #expect(try await peers.caller(7, on: loop).get().user == "user 7")
        #expect(asked.withLock { $0 } == [7, 8])
    }
}
