import GroupSPI
import Store
import Testing

@testable import Manager

/// Groups that cannot be let go before another may take over: it is said while there is time to raise the lease's.
struct LongReleaseTests {
    private func slow(_ replica: Replica) async -> String? {
        JSONView((await replica.proxy.status()).raw).member("plugin")?.member("slow")?.string
    }

    @Test func aSlowPluginIsToldOfUntilItIsQuick() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for number in 0..<20 { _ = try await replica.commit(Identifier("g\(number)"), 1) }
            #expect(await slow(replica) == nil)
            let gate = Gate()
            replica.plugin.script { if case .commit = $0 { .hang(gate) } else { nil } }
            replica.plugin.forget()
            try await eventually("it is told again", on: replica.clock, step: .milliseconds(500)) {
                gate.waiting == 20
            }
            try await pass(.seconds(20), on: replica.clock, step: .milliseconds(500))
            gate.open()
            try await eventually("it is said") { await slow(replica) != nil }
            let text = try #require(await slow(replica))
            #expect(text.contains("releasing its 20 groups may take 4"), "\(text)")
            #expect(text.contains("the lease leaves 30s") && text.contains("--lease-ttl 2m"), "\(text)")
            replica.plugin.behave()
            replica.plugin.forget()
            try await eventually("it is quick", on: replica.clock, step: .milliseconds(500)) {
                await slow(replica) == nil
            }
        }
    }

    @Test func whatWasSeenOfLettingGoCounts() throws {
        let pace = ReleasePace()
        #expect(LongRelease(of: 400, pace, room: .seconds(3)) == nil)
        pace.noteTelling(.milliseconds(10))
        #expect(LongRelease(of: 300, pace, room: .seconds(3)) == nil)
        let concluded = try #require(LongRelease(of: 400, pace, room: .seconds(3)))
        #expect(concluded.duration == .seconds(4) && !concluded.isSeen)
        #expect(concluded.neededTTL == .seconds(15))
        pace.noteFreeing(.milliseconds(20))
        let seen = try #require(LongRelease(of: 400, pace, room: .seconds(3)))
        #expect(seen.duration == .seconds(8) && seen.isSeen && seen.text.contains("takes about 8s"))
        pace.noteFreeing(.milliseconds(1))
        #expect(LongRelease(of: 400, pace, room: .seconds(3)) == nil)
    }

    /// One after the other, side by side, and with some that hang.
    @Test func aPaceIsWhatEachTakes() {
        func at(_ milliseconds: Int) -> BootInstant { BootInstant(nanoseconds: milliseconds * 1_000_000) }
        var pace = CallPace()
        for _ in 0..<20 { pace.began(at(0)) }
        for number in 1..<20 { #expect(pace.ended(at(number * 10), counts: true) == nil) }
        #expect(pace.ended(at(30_000), counts: false) == .milliseconds(10))
        for _ in 0..<20 { pace.began(at(40_000)) }
        for _ in 1..<20 { #expect(pace.ended(at(40_010), counts: true) == nil) }
        #expect(pace.ended(at(40_010), counts: true) == .milliseconds(1))
        // Of a few nothing is concluded, and of those that failed neither.
        for _ in 0..<20 { pace.began(at(50_000)) }
        for number in 1...20 { #expect(pace.ended(at(60_000), counts: number < CallPace.fewest) == nil) }
    }
}
