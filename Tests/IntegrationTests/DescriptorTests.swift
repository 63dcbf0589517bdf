import Glibc
import GroupSPI
import Store
import Testing

/// Files that a process may have open are few, and what leads comes first.
@Suite struct DescriptorTests {
    /// A socket that asks for nothing.
    private func connect(to path: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard descriptor >= 0, result == 0 else {
            if descriptor >= 0 { close(descriptor) }
            return nil
        }
        return descriptor
    }

    /// The soft limit is raised, and where the hard one is low, connections are given up and not the lease.
    @Test(arguments: [64...160, 128...128, 64...4096]) func idleConnectionsTakeNothingFromTheLeader(
        _ limit: ClosedRange<Int>
    ) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            _ = try n1.launchManager(files: limit)
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            var open: [Int32] = []
            defer { for descriptor in open { close(descriptor) } }
            for round in 1...6 {
                open += (0..<100).compactMap { _ in connect(to: "\(n1.directory)/group") }
                try await n1.commit("a", 1 + round)
                #expect(try n1.manager.descriptorCount <= limit.upperBound)
            }
            let sequence = try await world.lease().sequence
            try await eventually("it renews") { try await world.lease().sequence > sequence + 3 }
            #expect(try await world.lease().epoch == 1)
            // What it needs to let go it has as well.
            try n1.manager.send(SIGTERM)
            try await n1.manager.expectEnd(.exit(0))
            #expect(n1.plugin.watched.isEmpty)
        }
    }

    @Test func tooFewAreRefusedAtTheStart() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let program = try n1.launchManager(files: 64...100)
            try await program.expectEnd(.exit(2))
            #expect(program.errors.contains("at most 100 files can be open, but 128 are needed"))
        }
    }
}
