import Glibc
import Testing

@testable import Manager

/// A lock that keeps managers of other stores off a plugin.
struct PluginClaimTests {
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        var template = Array("/tmp/ik-claim-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer {
            sweep(path)
            rmdir(path)
        }
        try await body(path)
    }

    private func sweep(_ path: String) {
        unlink("\(path)/.p.lock/store")
        rmdir("\(path)/.p.lock")
    }

    @Test func itIsMadeAnewWhenItWasSweptAway() async throws {
        try await withDirectory { path in
            let claim = try #require(try await PluginClaim.take("\(path)/p", for: ["a"]))
            #expect(claim.holdPlace() == nil)
            for _ in 0..<2 {
                sweep(path)
                #expect(claim.holdPlace() == nil)
                await #expect(throws: SettingsError.self) { try await PluginClaim.take("\(path)/p", for: ["b"]) }
                // Another of the same store shares it.
                let second = try #require(try await PluginClaim.take("\(path)/p", for: ["a"]))
                #expect(second.holdPlace() == nil)
            }
            withExtendedLifetime(claim) {}
        }
    }

    @Test func whoComesBeforeThatIsTold() async throws {
        try await withDirectory { path in
            let claim = try #require(try await PluginClaim.take("\(path)/p", for: ["a"]))
            sweep(path)
            var other = try await PluginClaim.take("\(path)/p", for: ["b"])
            #expect(other != nil && claim.holdPlace() == "b")
            other = nil
            #expect(claim.holdPlace() == nil)
            await #expect(throws: SettingsError.self) { try await PluginClaim.take("\(path)/p", for: ["b"]) }
        }
    }
}
