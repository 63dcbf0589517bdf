import Dispatch
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import HTTPClient

@Suite struct NameLookupsTests {
    /// Each question that hangs keeps a thread, and threads are few.
    @Test func oneQuestionOfEachNameIsAskedAtATime() async throws {
        let asked = Mutex<[String]>([])
        let gate = DispatchSemaphore(value: 0)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 7)
        let lookups = NameLookups { host, _ in
            asked.withLock { $0.append(host) }
            gate.wait()
            return .success([address])
        }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answers = (0..<100).map { _ in lookups.addresses("plugin", 7, on: loop) }
        let other = lookups.addresses("other", 7, on: loop)
        gate.signal()
        gate.signal()
        for answer in answers + [other] { #expect(try await answer.get() == [address]) }
        #expect(asked.withLock { $0.sorted() } == ["other", "plugin"])
        // It has ended, so the next one asks again.
        gate.signal()
        #expect(try await lookups.addresses("plugin", 7, on: loop).get() == [address])
        #expect(asked.withLock { $0.count } == 3)
    }

    @Test func aHostIsFoundByItsName() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let found = try await NameLookups().addresses("localhost", 80, on: loop).get()
        #expect(found.contains { $0.ipAddress == "127.0.0.1" || $0.ipAddress == "::1" }, "\(found)")
        let resolver = NameResolver(NameLookups(), on: loop)
        let old = try await resolver.initiateAQuery(host: "127.0.0.1", port: 80).get()
        #expect(old.map(\.ipAddress) == ["127.0.0.1"])
        #expect(try await resolver.initiateAAAAQuery(host: "127.0.0.1", port: 80).get().isEmpty)
        await #expect(throws: NameLookups.Unknown.self) {
            try await NameLookups().addresses("no such host\u{1}", 80, on: loop).get()
        }
    }
}
