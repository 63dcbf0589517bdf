import GroupSPI
import Testing

@testable import Store

@Suite struct LeaseTests {
    @Test func aNewStoreIsLedByNobody() async throws {
        try await withStore { store in
            let lease = try await store.lease(within: patience)
            #expect(!lease.isHeld && lease.epoch == 0)
            #expect(try await store.terms(within: patience).isEmpty)
        }
    }

    @Test func ofTwoClaimantsWithOneViewOneGetsTheLease() async throws {
        try await withStore { store in
            for round in 1...20 {
                let watched = try await store.lease(within: patience)
                // Two connections, as two processes have them.
                let other = Store.openForCommand(store.configuration)
                async let first = store.acquireLease(
                    candidate("n1/group"),
                    watched: watched,
                    ttl: 9000,
                    reason: "expired",
                    within: patience
                )
                async let second = other.acquireLease(
                    candidate("n2/group"),
                    watched: watched,
                    ttl: 9000,
                    reason: "expired",
                    within: patience
                )
                let rows = [try await first, try await second].compactMap { $0 }
                #expect(rows.count == 1 && rows.first?.epoch == round)
                let lease = try await store.lease(within: patience)
                #expect(lease == rows.first)
            }
        }
    }

    @Test func theRowTellsWhoHoldsIt() async throws {
        try await withStore { store in
            let candidate = candidate("n1/group")
            let watched = try await store.lease(within: patience)
            let row = try await store.acquireLease(
                candidate,
                watched: watched,
                ttl: 1234,
                reason: "",
                within: patience
            )
            let lease = try #require(row)
            #expect(lease.holder == "n1/group" && lease.instance == candidate.instance && lease.isHeld)
            #expect(lease.process == candidate.process && lease.socket == candidate.socket)
            #expect(lease.pluginSocket == candidate.pluginSocket && lease.guardLock == candidate.guardLock)
            #expect(lease.ttl == 1234 && lease.expiresAt == lease.acquiredAt + 1234)
            #expect(lease.renewedAt == lease.acquiredAt && lease.sequence == watched.sequence + 1)
        }
    }

    @Test func aRenewalSpoilsWhatAFollowerHasWatched() async throws {
        try await withLeader { leader in
            let watched = try await leader.store.lease(within: patience)
            let renewed = try await leader.store.renewLease(leader.fence, within: patience)
            #expect(renewed.epoch == watched.epoch && renewed.sequence == watched.sequence + 1)
            #expect(renewed.expiresAt == renewed.renewedAt + renewed.ttl)
            let stolen = try await leader.store.acquireLease(
                candidate("n2/group"),
                watched: watched,
                ttl: 9000,
                reason: "expired",
                within: patience
            )
            #expect(stolen == nil)
            #expect(try await leader.store.lease(within: patience) == renewed)
        }
    }

    @Test func theEpochRisesAlsoAcrossReleases() async throws {
        try await withStore { store in
            var sequence = try await store.lease(within: patience).sequence
            for epoch in 1...6 {
                let leader = try await lead(store, as: "n\(epoch % 2)/group")
                #expect(leader.lease.epoch == epoch && leader.lease.sequence > sequence)
                sequence = leader.lease.sequence
                guard epoch % 3 == 0 else { continue }
                try await store.releaseLease(leader.fence, reason: "stopped", within: patience)
                let released = try await store.lease(within: patience)
                #expect(released.epoch == epoch && !released.isHeld && released.sequence > sequence)
                sequence = released.sequence
            }
        }
    }

    @Test func whoHasLostTheLeaseNeitherRenewsNorReleasesIt() async throws {
        try await withStore { store in
            let first = try await lead(store)
            let second = try await lead(store, as: "n2/group")
            let error = try await failure { try await store.renewLease(first.fence, within: patience) }
            #expect(error.code == .fenced && error.message.contains("n2/group"))
            try await store.releaseLease(first.fence, reason: "stopped", within: patience)
            let lease = try await store.lease(within: patience)
            #expect(lease == second.lease)
            // Another start of the same replica is another holder.
            let impostor = Fence(instance: "other", epoch: second.fence.epoch, manager: second.fence.manager)
            #expect(try await failure { try await store.renewLease(impostor, within: patience) }.code == .fenced)
            // A released lease is renewed by nobody.
            try await store.releaseLease(second.fence, reason: "stopped", within: patience)
            #expect(try await failure { try await store.renewLease(second.fence, within: patience) }.code == .fenced)
        }
    }

    @Test func theLogTellsEveryTermAndWhyItEnded() async throws {
        try await withStore { store in
            let first = try await lead(store, as: "n1/group", reason: "nobody led")
            try await store.releaseLease(first.fence, reason: "stopped", within: patience)
            // Late words of one that has left change nothing.
            try await store.releaseLease(first.fence, reason: "again", within: patience)
            _ = try await lead(store, as: "n2/group", reason: "released")
            _ = try await lead(store, as: "n3/group", reason: "n2 did not renew for 9 s")
            let terms = try await store.terms(within: patience)
            #expect(terms.map(\.epoch) == [3, 2, 1])
            #expect(terms.map(\.manager) == ["n3/group", "n2/group", "n1/group"])
            #expect(terms.map(\.reason) == [nil, "n2 did not renew for 9 s", "stopped"])
            #expect(terms.map { $0.until == nil } == [true, false, false])
            #expect(terms.allSatisfy { $0.from <= $0.until ?? .max })
            #expect(terms[1].until == terms[0].from)
        }
    }
}
