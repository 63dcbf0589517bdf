import GroupSPI
import Store
import Testing

@testable import Manager

/// A store that answers, but too slowly for the times of the lease: nobody leads for long, and the cause has a name.
struct SlowStoreTests {
    private func slow(_ replica: Replica) async -> String? {
        JSONView((await replica.proxy.status()).raw).member("store")?.member("slow")?.string
    }

    @Test func aRenewalThatTakesTooLongIsToldUntilOneIsQuick() async throws {
        try await withReplica { replica in
            try await replica.leads()
            #expect(await slow(replica) == nil)
            let gate = Gate()
            replica.store.trouble(.late(gate), at: .renew)
            try await eventually("a renewal is under way", on: replica.clock, step: .milliseconds(500)) {
                gate.waiting == 1
            }
            try await pass(.seconds(40), on: replica.clock, step: .milliseconds(500))
            // The next one follows at once, and ends what is told: it waits until the telling was seen.
            let next = Gate()
            replica.store.trouble(.late(next), at: .renew)
            gate.open()
            try await eventually("it is told") { await slow(replica) != nil }
            let text = try #require(await slow(replica))
            #expect(text.contains("too slow for --lease-ttl 1m30s; start all managers with --lease-ttl 4m"), "\(text)")
            replica.store.trouble(nil, at: .renew)
            next.open()
            try await eventually("one is quick", on: replica.clock, step: .milliseconds(500)) {
                await slow(replica) == nil
            }
            #expect(replica.store.lease.epoch == 1)
        }
    }

    @Test func oneThatIsGivenUpIsToldToo() {
        do throws(SettingsError) {
            let settings = try ElectionSettings()
            #expect(Slowness(.seconds(3), isUnanswered: false, settings) == nil)
            let text = Slowness(.seconds(6), isUnanswered: true, settings)?.text ?? ""
            #expect(text.contains("did not answer within 6s") && text.contains("more than 36s"), "\(text)")
        } catch {
            Issue.record("\(error)")
        }
    }
}
