import Store
import Testing

@testable import Manager

/// The rules of the lease, one by one.
struct ElectionRuleTests {
    // MARK: - Watching

    @Test func looksAtOnceAndThenOncePerPollInterval() throws {
        var bench = try ElectionBench()
        #expect(bench.tell(.tick) == [.observe])
        #expect(bench.tell(.tick) == [])
        bench.wait(.milliseconds(1349))
        #expect(bench.tell(.tick) == [])
        bench.wait(.milliseconds(151))
        #expect(bench.tell(.tick) == [.observe])
    }

    @Test func takesAReleasedLeaseAtOnce() throws {
        var bench = try ElectionBench()
        _ = bench.tell(.tick)
        let lease = Lease.released(epoch: 4)
        #expect(bench.see(lease) == [.acquire(watched: lease, reason: "released")])
    }

    /// Two replicas that cannot work with what is in the store would else hand the groups to and fro, many times a second.
    @Test(arguments: [(8999, true), (9001, false)])
    func aShortTermThatTheStoreEndsIsFollowedByAPause(_ lasted: Int, _ pauses: Bool) throws {
        var bench = try ElectionBench()
        _ = bench.tell(.tick)
        _ = bench.see(.released(epoch: 4))
        _ = bench.tell(.acquired(.held(epoch: 5)))
        for _ in 0..<(lasted / 1000) {
            bench.wait(.seconds(1))
            _ = bench.tell(.tick)
            _ = bench.tell(.renewed(epoch: 5))
        }
        bench.wait(.milliseconds(lasted % 1000))
        #expect(bench.tell(.storeUncertain(epoch: 5, "io")).contains { if case .resign = $0 { true } else { false } })
        _ = bench.tell(.freed(epoch: 5))
        // Another has led meanwhile, and had the same trouble.
        func acquires() -> Bool {
            bench.see(.released(epoch: 6)).contains { if case .acquire = $0 { true } else { false } }
        }
        #expect(acquires() != pauses)
        guard pauses else { return }
        bench.wait(.milliseconds(8998))
        #expect(!acquires())
        bench.wait(.milliseconds(2))
        #expect(acquires())
    }

    @Test(arguments: [(8999, false), (9000, true)])
    func waitsAWholeTTLWithoutARenewal(_ milliseconds: Int, _ isDue: Bool) throws {
        var bench = try ElectionBench()
        _ = bench.see(.held(epoch: 3))
        let expected = [
            ElectionDirective.acquire(watched: .held(epoch: 3), reason: "no renewal by other for 9000 ms")
        ]
        #expect(bench.watch(.held(epoch: 3), for: .milliseconds(milliseconds)) == (isDue ? expected : []))
    }

    /// The host was suspended, or the file away: what the holder did meanwhile nobody has seen. Here it may have renewed in an older
    /// copy, which is gone again.
    @Test(arguments: [(6000, true), (6001, false), (60_000, false)])
    func timeInWhichNobodyLookedIsNotWaiting(_ gap: Int, _ counts: Bool) throws {
        var bench = try ElectionBench()
        let lease = Lease.held(epoch: 3)
        _ = bench.see(lease)
        #expect(bench.watch(lease, for: .milliseconds(8999)) == [])
        bench.wait(.milliseconds(gap - 1))
        // A look that comes to nothing is none.
        _ = bench.tell(.observationFailed("no answer"))
        bench.wait(.milliseconds(1))
        let found = bench.see(lease)
        #expect(found.contains { if case .acquire = $0 { true } else { false } } == counts)
        guard !counts else { return }
        #expect(bench.election.standing.role == .follower)
        // It waits for a whole ttl again, and looks at its end.
        let end = bench.now + .seconds(9)
        #expect(bench.watch(lease, for: .milliseconds(8999)) == [])
        #expect(bench.wake() == end)
        #expect(bench.watch(lease, for: .milliseconds(1)).count == 1)
    }

    /// The disk is full, say. Nothing was stored, so what was waited counts, and each poll tries again.
    @Test func anAcquisitionThatStoredNothingIsTriedAgainAtTheNextPoll() throws {
        var bench = try ElectionBench()
        _ = bench.tell(.tick)
        let lease = Lease.held(epoch: 3)
        let acquire = ElectionDirective.acquire(watched: lease, reason: "no renewal by other for 9000 ms")
        _ = bench.see(lease)
        #expect(bench.watch(lease, for: .seconds(9)) == [acquire])
        for _ in 0..<10 {
            #expect(bench.tell(.acquisitionRefused("the disk is full")).filter { $0 != .observe } == [])
            #expect(
                bench.election.standing
                    == ReplicaStatus(
                        role: .candidate,
                        reason: "the lease has run out and cannot be acquired: the disk is full",
                        lease: nil
                    )
            )
            #expect(bench.watch(lease, for: bench.settings.pollInterval) == [acquire])
        }
        // Its holder is back.
        _ = bench.tell(.acquisitionRefused("the disk is full"))
        #expect(bench.see(.held(epoch: 3, sequence: 2)).filter { $0 != .observe } == [])
        #expect(bench.election.standing.reason == "other leads in epoch 3")
    }

    /// The row may be this replica's by now, and nobody acts on that: it is waited out like any other.
    @Test func anAcquisitionOfWhichNobodyKnowsStartsTheWaitAgain() throws {
        var bench = try ElectionBench()
        let lease = Lease.held(epoch: 3)
        _ = bench.see(lease)
        #expect(bench.watch(lease, for: .seconds(9)).count == 1)
        _ = bench.tell(.acquisitionFailed("no answer"))
        _ = bench.see(lease)
        #expect(bench.watch(lease, for: .milliseconds(8999)) == [])
        #expect(bench.watch(lease, for: .milliseconds(1)).count == 1)
    }

    /// What is told of a row's age is since it was first seen, whether it was looked at or not.
    @Test func theAgeOfARowCountsAllTheTime() throws {
        var bench = try ElectionBench()
        let lease = Lease.held(epoch: 3)
        let start = bench.now
        _ = bench.see(lease)
        bench.wait(.seconds(60))
        _ = bench.see(lease)
        #expect(bench.election.watchedSince == start)
    }

    /// However the times were chosen: looks at their regular moments make up a wait, also of a row that promises less.
    @Test(arguments: [
        (10_000, 9900, 4900, 10_000), (9000, 6000, 2903, 9000), (9000, 6000, 1500, 2000), (9000, 6000, 1500, 1000),
    ])
    func regularLooksAlwaysMakeUpAWait(_ ttl: Int, _ deadline: Int, _ poll: Int, _ promised: Int) throws {
        let settings = try ElectionSettings(
            ttl: .milliseconds(ttl),
            renewDeadline: .milliseconds(deadline),
            pollInterval: .milliseconds(poll)
        )
        var bench = try ElectionBench(settings)
        let lease = Lease.held(epoch: 3, ttl: promised)
        _ = bench.see(lease)
        let end = bench.now + .milliseconds(promised + poll)
        var found: [ElectionDirective] = []
        while found.isEmpty, bench.now < end { found = bench.watch(lease, for: settings.pollInterval) }
        #expect(found == [.acquire(watched: lease, reason: "no renewal by other for \(promised) ms")])
    }

    /// Otherwise a takeover would wait for a poll interval beyond the ttl.
    @Test func looksAtTheMomentAtWhichTheTTLIsOver() throws {
        var bench = try ElectionBench()
        _ = bench.tell(.tick)
        let lease = Lease.held(epoch: 3)
        _ = bench.see(lease)
        let end = bench.now + .seconds(9)
        // The regular looks, as the loop makes them.
        while let wake = bench.wake(), wake < end {
            bench.now = wake
            #expect(bench.tell(.tick) == [.observe])
            #expect(bench.see(lease) == [])
        }
        let next = try #require(bench.election.nextAttempt)
        #expect(bench.wake() == end)
        #expect(next > end)
        bench.now = end
        #expect(bench.tell(.tick) == [.observe])
        #expect(bench.election.nextAttempt == next, "the regular looks are where they were")
        #expect(bench.see(lease) == [.acquire(watched: lease, reason: "no renewal by other for 9000 ms")])
    }

    @Test func theLookAtTheEndOfTheTTLMovesWithEachRenewalAndComesOnce() throws {
        var bench = try ElectionBench()
        _ = bench.tell(.tick)
        _ = bench.see(.held(epoch: 3, sequence: 1))
        bench.wait(.milliseconds(700))
        _ = bench.see(.held(epoch: 3, sequence: 2))
        #expect(bench.election.earlyPoll == bench.now + .seconds(9))
        let end = bench.now + .seconds(9)
        bench.wait(.milliseconds(300))
        _ = bench.see(.held(epoch: 3, sequence: 2))
        #expect(bench.election.earlyPoll == end)
        bench.now = end
        #expect(bench.tell(.tick) == [.observe])
        // It came to nothing: the regular looks go on.
        _ = bench.tell(.observationFailed("no answer"))
        let next = try #require(bench.election.nextAttempt)
        #expect(bench.wake() == next)
        #expect(next > end)
        // Nobody is waited for in a row that nobody holds.
        _ = bench.see(.held(epoch: 4))
        _ = bench.tell(.inhibited("the leader file names two"))
        _ = bench.see(.released(epoch: 4))
        #expect(bench.election.earlyPoll == nil)
    }

    @Test func aRowThatPromisesForEverIsWatchedAllTheSame() throws {
        var bench = try ElectionBench()
        _ = bench.tell(.tick)
        _ = bench.see(.held(epoch: 3, ttl: .max))
        #expect(bench.wake() == bench.election.nextAttempt)
        bench.wait(.seconds(90_000))
        #expect(bench.see(.held(epoch: 3, ttl: .max)) == [.observe])
    }

    @Test func waitsTheTTLOfTheHolderNotItsOwn() throws {
        var bench = try ElectionBench()
        _ = bench.see(.held(epoch: 3, ttl: 30_000))
        #expect(bench.watch(.held(epoch: 3, ttl: 30_000), for: .milliseconds(29_999)) == [])
        #expect(bench.watch(.held(epoch: 3, ttl: 30_000), for: .milliseconds(1)).count == 1)
    }

    @Test(arguments: [Lease.held(epoch: 3, sequence: 2), .held(epoch: 4, sequence: 1)])
    func anyChangeOfTheRowStartsTheWaitAgain(_ changed: Lease) throws {
        var bench = try ElectionBench()
        _ = bench.see(.held(epoch: 3, sequence: 1))
        #expect(bench.watch(.held(epoch: 3, sequence: 1), for: .seconds(8)) == [])
        _ = bench.see(changed)
        #expect(bench.watch(changed, for: .seconds(8)) == [])
        #expect(bench.watch(changed, for: .seconds(1)).count { if case .acquire = $0 { true } else { false } } == 1)
    }

    /// The wait lies between two readings: the time that a reading took counts for neither.
    @Test func aSlowReadingDoesNotCountAsWaiting() throws {
        var bench = try ElectionBench()
        let before = bench.now
        bench.wait(.seconds(5))
        _ = bench.see(.held(epoch: 3), startedAt: before)
        #expect(bench.watch(.held(epoch: 3), for: .seconds(5)) == [])
        let second = bench.now
        bench.wait(.seconds(6))
        #expect(bench.see(.held(epoch: 3), startedAt: second).filter { $0 != .observe } == [])
        // From here on the first and the last reading lie a ttl apart.
        #expect(bench.see(.held(epoch: 3)).filter { $0 != .observe }.count == 1)
    }

    /// Timestamps of other hosts decide nothing.
    @Test func doesNotReadTheHoldersClock() throws {
        let old = Lease.held(epoch: 3)
        for expiresAt in [0, Int.max] {
            var bench = try ElectionBench()
            let lease = Lease(
                holder: old.holder,
                instance: old.instance,
                epoch: 3,
                sequence: 1,
                ttl: 9000,
                acquiredAt: expiresAt,
                renewedAt: expiresAt,
                expiresAt: expiresAt,
                process: old.process,
                socket: "",
                pluginSocket: "",
                guardLock: ""
            )
            _ = bench.see(lease)
            #expect(bench.watch(lease, for: .milliseconds(8999)) == [])
            #expect(bench.watch(lease, for: .milliseconds(1)).count == 1)
        }
    }

    @Test func takesOverFromAHolderThatIsGone() throws {
        var bench = try ElectionBench()
        let lease = Lease.held(epoch: 3)
        #expect(
            bench.see(lease, isGone: true).contains(.acquire(watched: lease, reason: "the process of other has ended"))
        )
    }

    /// The end of the holder makes it look; what it finds tells it whether it may take over.
    @Test func looksSoonAfterTheEndOfTheHolderAndOnceMoreAtTheEndOfTheTTL() throws {
        var bench = try ElectionBench()
        _ = bench.tell(.tick)
        let lease = Lease.held(epoch: 3)
        _ = bench.see(lease)
        let (end, next) = (bench.now + .seconds(9), try #require(bench.election.nextAttempt))
        #expect(bench.tell(.holderEnded(epoch: 2)) == [])
        #expect(bench.wake() == next, "that is not the epoch that it watches")
        #expect(bench.tell(.holderEnded(epoch: 3)) == [])
        let wake = bench.wake()
        let look = try #require(wake)
        #expect(look <= bench.now + .milliseconds(100))
        bench.now = look
        #expect(bench.tell(.tick) == [.observe])
        #expect(bench.election.nextAttempt == next, "the regular looks are where they were")
        // Its guard is still at work, say.
        #expect(bench.see(lease) == [])
        #expect(bench.election.earlyPoll == end)
        #expect(bench.tell(.holderEnded(epoch: 3)) == [])
        #expect(
            bench.see(lease, isGone: true) == [.acquire(watched: lease, reason: "the process of other has ended")]
        )
        #expect(bench.election.earlyPoll == nil)
    }

    @Test func followersOfOneHostDoNotLookAtTheSameMoment() throws {
        var looks: Set<Int> = []
        for seed in UInt64(0)..<100 {
            var bench = try ElectionBench(seed: seed)
            _ = bench.tell(.tick)
            _ = bench.see(.held(epoch: 3))
            let wake = bench.wake(.holderEnded(epoch: 3))
            looks.insert(try #require(wake).nanoseconds / 1_000_000)
        }
        #expect(looks.count > 40, "\(looks.sorted())")
        #expect((looks.min() ?? 0) < 10 && (looks.max() ?? 0) <= 100)
    }

    @Test func theEndOfAHolderIsNothingToWhoeverDoesNotWatchIt() throws {
        var bench = try ElectionBench()
        #expect(bench.tell(.holderEnded(epoch: 0)) == [.observe])
        bench.lead()
        #expect(bench.tell(.holderEnded(epoch: 1)) == [])
        #expect(bench.election.isLeading)
        _ = bench.tell(.stepDown(epoch: 1, "asked to"))
        #expect(bench.tell(.holderEnded(epoch: 1)) == [])
    }

    @Test func aFailedReadingIsNotAnEmptyRow() throws {
        var bench = try ElectionBench()
        _ = bench.see(.held(epoch: 3))
        bench.wait(.seconds(1))
        #expect(bench.tell(.observationFailed("no answer")) == [])
        #expect(bench.election.standing.role == .unknown)
        bench.wait(.seconds(60))
        #expect(bench.tell(.observationFailed("no answer")) == [.observe])
    }

    @Test func asksOnceUntilItIsAnswered() throws {
        var bench = try ElectionBench()
        #expect(bench.see(.released(epoch: 0)).count == 1)
        bench.wait(.seconds(30))
        #expect(bench.tell(.tick) == [])
        #expect(bench.see(.released(epoch: 0)) == [])
        #expect(bench.tell(.acquisitionLost) == [.observe])
    }

    /// It may have been woken long before its next look, and with it others of its host.
    @Test func looksAtOnceWhoWasFaster() throws {
        var bench = try ElectionBench()
        _ = bench.tell(.tick)
        #expect(bench.see(.released(epoch: 0)).count == 1)
        let next = bench.election.nextAttempt
        #expect(bench.tell(.acquisitionLost) == [.observe])
        #expect(bench.election.nextAttempt == next)
        #expect(bench.see(.held(epoch: 1)) == [])
    }

    // MARK: - The deadline

    @Test func deadlineCountsFromBeforeTheLeaseWasAskedFor() throws {
        var bench = try ElectionBench()
        _ = bench.see(.released(epoch: 0))
        let issued = bench.now
        bench.wait(.seconds(4))
        #expect(bench.tell(.acquired(.held(epoch: 1))) == [.assume(epoch: 1, deadline: issued + .seconds(6))])
    }

    @Test func aLeaseThatComesTooLateIsGivenBack() throws {
        var bench = try ElectionBench()
        _ = bench.see(.released(epoch: 0))
        bench.wait(.seconds(6))
        #expect(
            bench.tell(.acquired(.held(epoch: 1))).first == .release(epoch: 1, reason: "leadership was not started")
        )
        #expect(!bench.election.isLeading)
    }

    @Test func deadlineCountsFromBeforeTheRenewalWasIssued() throws {
        var bench = try ElectionBench()
        bench.lead()
        let start = bench.now
        let directives = bench.renew(after: .seconds(4))
        #expect(
            directives.prefix(2) == [
                .renew(epoch: 1), .extend(epoch: 1, deadline: start + .milliseconds(1500) + .seconds(6)),
            ]
        )
    }

    @Test(arguments: [(4499, true), (4500, false)])
    func aRenewalThatIsAnsweredTooLateIsNone(_ milliseconds: Int, _ counts: Bool) throws {
        var bench = try ElectionBench()
        bench.lead()
        let directives = bench.renew(after: .milliseconds(milliseconds))
        #expect(bench.election.isLeading == counts)
        #expect(directives.contains { if case .extend = $0 { true } else { false } } == counts)
        let reason = "the lease could not be renewed in time"
        let resignation = ElectionDirective.resign(epoch: 1, reason: reason, isOrderly: false)
        #expect(directives.contains(resignation) == !counts)
    }

    @Test func standsDownAtTheDeadlineWhateverHappens() throws {
        let events: [ElectionEvent] = [
            .tick, .renewed(epoch: 1), .renewalFailed(epoch: 1, "busy"),
            .observed(.held(epoch: 1), startedAt: .init(nanoseconds: 0), takeoverReason: nil),
            .holderEnded(epoch: 1), .inhibited(nil), .acquisitionLost, .stepDown(epoch: 1, "asked"), .stop,
            .freed(epoch: 1), .freed(epoch: 0),
        ]
        for event in events {
            var bench = try ElectionBench()
            bench.lead()
            bench.wait(.seconds(6))
            let directives = bench.tell(event)
            let reason = "the lease could not be renewed in time"
            #expect(directives.first == .resign(epoch: 1, reason: reason, isOrderly: false), "\(event)")
            #expect(!bench.election.isLeading)
        }
    }

    @Test func wakesAtTheDeadlineWhileARenewalIsUnderWay() throws {
        var bench = try ElectionBench()
        bench.lead()
        let deadline = bench.now + .seconds(6)
        bench.wait(.milliseconds(1500))
        #expect(bench.wake() == deadline)
    }

    @Test func renewsAgainAfterABusyStore() throws {
        var bench = try ElectionBench()
        bench.lead()
        bench.wait(.milliseconds(1500))
        #expect(bench.tell(.tick) == [.renew(epoch: 1)])
        bench.wait(.milliseconds(1000))
        #expect(bench.tell(.renewalFailed(epoch: 1, "busy")) == [])
        bench.wait(.milliseconds(500))
        #expect(bench.tell(.tick) == [.renew(epoch: 1)])
        #expect(bench.tell(.renewed(epoch: 1)).count == 1)
    }

    // MARK: - Standing down

    @Test(
        arguments: [
            (ElectionEvent.storeUncertain(epoch: 1, "disk gone"), "the outcome of a write is not known: disk gone"),
            (.renewalFenced(epoch: 1, "two leads"), "two leads"),
        ]
    )
    func standsDownAndGivesTheLeaseBackOnlyWhenFree(_ event: ElectionEvent, _ reason: String) throws {
        var bench = try ElectionBench()
        bench.lead()
        #expect(bench.tell(event) == [.resign(epoch: 1, reason: reason, isOrderly: false)])
        // Trouble comes in many voices: one resignation is enough.
        #expect(bench.tell(.storeUncertain(epoch: 1, "again")) == [])
        #expect(bench.tell(.renewalFenced(epoch: 1, "again")) == [])
        bench.wait(.seconds(2))
        #expect(bench.tell(.tick) == [])
        #expect(bench.tell(.freed(epoch: 1)).first == .release(epoch: 1, reason: reason))
    }

    private static let orderly: [(ElectionEvent, String)] = [
        (.inhibited("the file names two"), "the file names two"), (.stepDown(epoch: 1, "asked to"), "asked to"),
        (.stop, "stopped"),
    ]

    /// Letting go may take longer than the lease; nobody is to take over meanwhile.
    @Test(arguments: orderly) func renewsUntilItsGroupsAreFree(_ event: ElectionEvent, _ reason: String) throws {
        var bench = try ElectionBench()
        bench.lead()
        let deadline = bench.now + .seconds(6)
        #expect(
            bench.tell(event)
                == [.resign(epoch: 1, reason: reason, isOrderly: true), .keep(epoch: 1, deadline: deadline)]
        )
        for _ in 1...20 {
            bench.wait(.milliseconds(1500))
            #expect(bench.tell(.tick) == [.renew(epoch: 1)])
            let asked = bench.now
            bench.wait(.milliseconds(100))
            #expect(bench.tell(.renewed(epoch: 1)) == [.keep(epoch: 1, deadline: asked + .seconds(6))])
            #expect(!bench.election.isLeading && !bench.election.isStopped)
        }
        #expect(bench.tell(.freed(epoch: 1)).first == .release(epoch: 1, reason: reason))
    }

    /// Whoever cannot say that its groups are free does not give the lease away.
    @Test(arguments: [
        ElectionEvent.stalled(epoch: 1), .storeUncertain(epoch: 1, "io"), .renewalFenced(epoch: 1, "two leads"),
    ])
    func letsTheLeaseRunOutWhenItMayHoldGroups(_ event: ElectionEvent) throws {
        for isStopping in [true, false] {
            var bench = try ElectionBench()
            bench.lead()
            let expiry = bench.now + .seconds(9)
            _ = bench.tell(isStopping ? .stop : .stepDown(epoch: 1, "asked to"))
            #expect(bench.tell(event) == [.letRunOut(epoch: 1)])
            bench.wait(.milliseconds(1500))
            #expect(bench.tell(.tick) == [])
            #expect(bench.wake() == expiry)
            bench.now = expiry
            #expect(bench.tell(.tick) == (isStopping ? [] : [.observe]))
            #expect(bench.election.isStopped == isStopping)
            #expect(bench.tell(.freed(epoch: 1)) == [])
        }
    }

    /// The store does not answer any more: then there is nothing to keep.
    @Test func whatCannotBeRenewedIsNotKept() throws {
        var bench = try ElectionBench()
        bench.lead()
        _ = bench.tell(.stepDown(epoch: 1, "asked to"))
        bench.wait(.milliseconds(1500))
        #expect(bench.tell(.tick) == [.renew(epoch: 1)])
        bench.wait(.milliseconds(4500))
        #expect(bench.tell(.tick) == [.letRunOut(epoch: 1)])
        #expect(bench.tell(.renewed(epoch: 1)) == [])
    }

    @Test func looksAgainWhenTheLeaseHasRunOutBeforeTheGroupsAreFree() throws {
        var bench = try ElectionBench()
        bench.lead()
        let expiry = bench.now + .seconds(9)
        _ = bench.tell(.storeUncertain(epoch: 1, "disk gone"))
        #expect(bench.wake() == expiry)
        bench.now = expiry
        #expect(bench.tell(.tick) == [.observe])
        // Too late to give back what has run out.
        #expect(bench.tell(.freed(epoch: 1)) == [])
    }

    @Test func whoHandedOverLetsAnotherGoFirst() throws {
        var bench = try ElectionBench()
        bench.lead()
        _ = bench.tell(.stepDown(epoch: 1, "asked to"))
        _ = bench.tell(.freed(epoch: 1))
        #expect(bench.see(.released(epoch: 1)) == [])
        #expect(bench.election.standing.reason.contains("lets another replica lead"))
        bench.wait(.milliseconds(8999))
        #expect(bench.see(.released(epoch: 1)).filter { $0 != .observe } == [])
        bench.wait(.milliseconds(1))
        #expect(bench.see(.released(epoch: 1)).count == 1)
    }

    /// A rolling restart: the one that took over stops soon after, and the first is not to wait for the end of its rest.
    @Test func theRestEndsWhenAnotherHasLed() throws {
        var bench = try ElectionBench()
        bench.lead()
        _ = bench.tell(.stepDown(epoch: 1, "asked to"))
        _ = bench.tell(.freed(epoch: 1))
        // The row may still name this replica until the release is through; that is nobody else's term.
        #expect(bench.see(.held(epoch: 1)).filter { $0 != .observe } == [])
        #expect(bench.see(.released(epoch: 1)) == [])
        _ = bench.see(.held(epoch: 2))
        let released = bench.see(.released(epoch: 2))
        #expect(released.contains { if case .acquire = $0 { true } else { false } })
    }

    /// What is told of a term that is over says nothing about the one that lasts.
    @Test func lateNewsOfAnEarlierTermChangeNothing() throws {
        var bench = try ElectionBench()
        bench.lead()
        _ = bench.tell(.storeUncertain(epoch: 1, "disk gone"))
        bench.wait(.seconds(9))
        _ = bench.tell(.tick)
        _ = bench.see(.released(epoch: 1))
        _ = bench.tell(.acquired(.held(epoch: 2)))
        let deadline = bench.now + .seconds(6)
        bench.wait(.milliseconds(1500))
        #expect(bench.tell(.tick) == [.renew(epoch: 2)])
        for event in [
            ElectionEvent.renewed(epoch: 1), .renewalFailed(epoch: 1, "busy"), .renewalFenced(epoch: 1, "two leads"),
            .storeUncertain(epoch: 1, "disk gone"), .stepDown(epoch: 1, "asked to"), .freed(epoch: 1),
        ] {
            #expect(bench.tell(event) == [], "\(event)")
            #expect(bench.election.leadingEpoch == 2)
        }
        bench.now = deadline
        #expect(bench.tell(.tick).count == 1)
        // The groups of the first term are free at last; those of the second are not.
        #expect(bench.tell(.freed(epoch: 1)) == [])
        #expect(bench.tell(.freed(epoch: 2)).count { if case .release(2, _) = $0 { true } else { false } } == 1)
    }

    // MARK: - Hindrances and the end

    @Test func aHinderedReplicaNeitherAsksNorLeads() throws {
        var bench = try ElectionBench()
        _ = bench.tell(.inhibited("the leader file names two"))
        #expect(bench.see(.released(epoch: 0)).filter { $0 != .observe } == [])
        #expect(bench.see(.held(epoch: 1), isGone: true).filter { $0 != .observe } == [])
        #expect(bench.election.standing.reason == "the leader file names two")
        // Free to lead: it looks at once.
        #expect(bench.tell(.inhibited(nil)) == [.observe])
        #expect(bench.see(.released(epoch: 1)).count == 1)
        // Hindered while it is asking.
        _ = bench.tell(.inhibited("its guard has ended"))
        #expect(
            bench.tell(.acquired(.held(epoch: 2))).first == .release(epoch: 2, reason: "leadership was not started")
        )
    }

    @Test func stopsAtOnceWhenItDoesNotLead() throws {
        var bench = try ElectionBench()
        _ = bench.see(.held(epoch: 3))
        #expect(bench.tell(.stop) == [])
        #expect(bench.election.isStopped)
        #expect(bench.wake() == nil)
    }

    @Test(arguments: [true, false])
    func stopsOnceTheLeaseItAskedForIsAnswered(_ isAcquired: Bool) throws {
        var bench = try ElectionBench()
        _ = bench.see(.released(epoch: 0))
        #expect(bench.tell(.stop) == [])
        #expect(!bench.election.isStopped)
        let end = bench.tell(isAcquired ? .acquired(.held(epoch: 1)) : .acquisitionFailed("no answer"))
        #expect(end == (isAcquired ? [.release(epoch: 1, reason: "leadership was not started")] : []))
        #expect(bench.election.isStopped)
    }

    @Test func tellsWhatItIs() throws {
        var bench = try ElectionBench()
        #expect(bench.election.standing.role == .unknown)
        _ = bench.see(.held(epoch: 3))
        #expect(
            bench.election.standing
                == ReplicaStatus(role: .follower, reason: "other leads in epoch 3", lease: .held(epoch: 3))
        )
        _ = bench.see(.released(epoch: 3))
        #expect(bench.election.standing.role == .candidate)
        _ = bench.tell(.acquired(.held(epoch: 4)))
        #expect(bench.election.standing.role == .leader)
        _ = bench.tell(.storeUncertain(epoch: 4, "disk gone"))
        #expect(bench.election.standing.role == .follower)
        #expect(bench.election.standing.reason.contains("disk gone"))
    }
}
