import PluginFakes
import Synchronization
import Testing

@testable import PluginRPC

@Suite("The table of peers")
struct ClientConnectionTableTests {
    private final class FakeTransport: Transport {
        let wireProtocol = PeerDescription.WireProtocol.stream
        let open = Mutex(true)
        var isOpen: Bool { open.withLock { $0 } }
        let replyCount = 0

        func exchange(_ call: WireCall) async throws(TransportError) -> ReplyEnvelope { throw .cancelled }
        func close() { open.withLock { $0 = false } }
        func closed() async {}
    }

    /// A reference, so that expectations may change it.
    private final class Table {
        private var table = ConnectionTable()
        var current: Peer? { table.current }

        func install(_ peer: Peer) -> Bool { table.install(peer).isDone }
        func checkOut(identity: FileIdentity?) -> (peer: Peer?, close: Peer?) { table.checkOut(identity: identity) }
        func checkIn(_ peer: Peer) -> Peer? { table.checkIn(peer) }
        func retire(_ peer: Peer) -> Peer? { table.retire(peer) }
        func shutDown() -> [Peer] { table.shutDown() }
    }

    private func peer(_ identity: FileIdentity? = nil) -> Peer { Peer(transport: FakeTransport(), identity: identity) }

    @Test("closes a retired peer when its last call ends, not before")
    func retire() {
        let table = Table()
        let peer = peer()
        #expect(table.install(peer))
        #expect(table.checkOut(identity: nil).peer === peer)
        #expect(table.retire(peer) == nil)
        #expect(table.current == nil)
        #expect(table.checkOut(identity: nil).peer == nil)
        #expect(table.checkIn(peer) == nil)
        #expect(table.checkIn(peer) === peer)
        #expect(table.shutDown().isEmpty)
    }

    @Test("retires a peer once, also when all its calls fail")
    func retireTwice() {
        let table = Table()
        let (old, new) = (peer(), peer())
        #expect(table.install(old))
        _ = table.checkOut(identity: nil)
        #expect(table.retire(old) == nil)
        #expect(table.checkIn(old) == nil)
        #expect(table.install(new))
        #expect(table.retire(old) == nil)
        #expect(table.current === new)
        #expect(table.checkIn(old) === old)
    }

    @Test("gives out no peer whose connection is closed")
    func closed() {
        let table = Table()
        let peer = peer()
        #expect(table.install(peer))
        #expect(table.checkIn(peer) == nil)
        peer.transport.close()
        let (found, close) = table.checkOut(identity: nil)
        #expect(found == nil)
        #expect(close === peer)
    }

    @Test("gives out no peer whose file is another one by now")
    func replaced() async throws {
        try await withScratchDirectory { directory in
            let first = try FakePlugin(.seed, at: directory + "/a")
            let second = try FakePlugin(.seed, at: directory + "/b")
            defer {
                first.stop()
                second.stop()
            }
            let old = try #require(FileIdentity(.socket, path: first.path))
            let new = try #require(FileIdentity(.socket, path: second.path))
            let table = Table()
            let peer = peer(old)
            #expect(table.install(peer))
            #expect(table.checkOut(identity: old).peer === peer)
            // The file is gone, but the plugin is not: go on.
            #expect(table.checkOut(identity: nil).peer === peer)
            #expect(table.checkOut(identity: new).peer == nil)
            #expect(table.current == nil)
        }
    }

    @Test("takes no peer after the shutdown")
    func shutDown() {
        let table = Table()
        let (first, second) = (peer(), peer())
        #expect(table.install(first))
        #expect(table.shutDown().map { $0 === first } == [true])
        #expect(!table.install(second))
        #expect(table.checkIn(first) == nil)
    }
}
