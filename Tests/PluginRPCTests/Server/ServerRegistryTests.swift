import GroupSPI
import NIOCore
import NIOEmbedded
import Testing

@testable import PluginRPC

@Suite("The server shares its places out")
struct ServerRegistryTests {
    private struct Guest {
        let channel = EmbeddedChannel()
        let uid: UInt32
        var activity: ConnectionActivity?
        var release: (@Sendable () -> Void)?
    }

    /// Connects, and does what the server does with the one that gives its place up.
    private func connect(
        _ uid: UInt32,
        to registry: ConnectionRegistry,
        touchesReserve: Bool = false
    ) -> (guest: Guest?, closed: (any Channel)?) {
        var guest = Guest(uid: uid)
        guard
            case .admitted(let activity, let closing, let release) = registry.admit(
                guest.channel,
                of: uid,
                touchesReserve: touchesReserve
            )
        else { return (nil, nil) }
        (guest.activity, guest.release) = (activity, release)
        return (guest, closing)
    }

    @Test("so that a user that takes all it can leaves room for every other")
    func shares() {
        let registry = ConnectionRegistry(maximum: 4096)
        var counts: [UInt32: Int] = [:]
        for uid in UInt32(1)...10 {
            for _ in 0..<5000 where connect(uid, to: registry).guest != nil { counts[uid, default: 0] += 1 }
        }
        #expect(counts[1] == 2048)
        #expect(counts[2] == 1024)
        #expect(counts[10] == 4)
        #expect(connect(11, to: registry).guest != nil)
    }

    @Test("and closes the one that has been idle for longest, of the same user")
    func closesIdle() {
        let registry = ConnectionRegistry(maximum: 6)
        let guests = (0..<3).compactMap { _ in connect(1, to: registry).guest }
        #expect(guests.count == 3)
        // All are at work.
        #expect(connect(1, to: registry).guest == nil)
        guests[1].activity?.isIdle(since: .uptimeNanoseconds(20))
        guests[0].activity?.isIdle(since: .uptimeNanoseconds(30))
        let (fourth, closed) = connect(1, to: registry)
        #expect(fourth != nil && closed === guests[1].channel)
        // It is on its way out, and is not found again.
        let (fifth, next) = connect(1, to: registry)
        #expect(fifth != nil && next === guests[0].channel)
        #expect(connect(1, to: registry).guest == nil)
        // Its place has passed on already.
        guests[1].release?()
        guests[0].release?()
        #expect(connect(1, to: registry).guest == nil)
        fourth?.release?()
        #expect(connect(1, to: registry).guest != nil)
        // Another user's are none of its business.
        let other = connect(2, to: registry)
        #expect(other.guest != nil && other.closed == nil)
    }

    @Test("and keeps the descriptors that other things need")
    func keepsReserve() {
        let registry = ConnectionRegistry(maximum: 100)
        let (first, _) = connect(1, to: registry)
        #expect(connect(1, to: registry, touchesReserve: true).guest == nil)
        first?.activity?.isIdle(since: .now())
        let (second, closed) = connect(1, to: registry, touchesReserve: true)
        #expect(second != nil && closed === first?.channel)
    }
}
