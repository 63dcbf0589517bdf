import Testing

@testable import Manager

struct PluginCallsTests {
    private let clock = TestClock()

    private func make() -> (lease: LeaseValidity, calls: PluginCalls) {
        let lease = LeaseValidity(epoch: 3, until: clock.now() + .seconds(60), clock: clock)
        return (lease, PluginCalls(under: lease))
    }

    private func run(_ calls: PluginCalls, outliving outlives: Bool = false, _ gate: Gate, isStubborn: Bool = false)
        async -> Gate.End?
    {
        let until = clock.now() + .seconds(1)
        return await calls.run(outliving: outlives) { [clock] in
            await gate.wait(until: until, on: clock, isStubborn: isStubborn)
        }
    }

    @Test func theEndOfTheLeaseCancelsAllThatIsUnderWay() async throws {
        let (lease, calls) = make()
        let gate = Gate()
        async let first = run(calls, gate)
        async let second = run(calls, outliving: true, gate)
        try await eventually("both run") { gate.waiting == 2 }
        lease.end(.immediate)
        #expect(await first == .cancelled)
        #expect(await second == .cancelled)
        await calls.drained()
        #expect(calls.isIdle)
    }

    /// What is cancelled may be carried out all the same, and later.
    @Test func whatChangesSomethingGoesOnWhenTheLeaseEndsInOrder() async throws {
        let (lease, calls) = make()
        let gate = Gate()
        async let question = run(calls, gate)
        async let change = run(calls, outliving: true, gate)
        try await eventually("both run") { gate.waiting == 2 }
        lease.end(.orderly)
        #expect(await question == .cancelled)
        #expect(gate.waiting == 1 && !calls.isIdle)
        // Until it is not waited for any longer.
        lease.end(.immediate)
        #expect(await change == .cancelled)
    }

    @Test(arguments: [LeaseValidity.Ending.orderly, .immediate], [false, true])
    func nothingStartsAfterTheEnd(_ ending: LeaseValidity.Ending, _ outlives: Bool) async {
        let (lease, calls) = make()
        lease.end(ending)
        #expect(await calls.run(outliving: outlives) { 1 } == nil)
        await calls.drained()
    }

    @Test func nothingStartsAfterTheDeadline() async {
        let (_, calls) = make()
        clock.advance(by: .seconds(60))
        #expect(await calls.run { 1 } == nil)
    }

    /// It may end between the beginning of a call and the moment from which on it can be cancelled.
    @Test func whatEndsTheLeaseItselfIsCancelled() async {
        let (lease, calls) = make()
        let end = await calls.run { [clock] in
            lease.end(.immediate)
            return await Gate().wait(until: clock.now() + .seconds(1), on: clock, isStubborn: false)
        }
        #expect(end == .cancelled)
    }

    @Test func theEndOfTheCallerCancelsItsCall() async throws {
        let (lease, calls) = make()
        let gate = Gate()
        let caller = Task { await run(calls, gate) }
        try await eventually("it runs") { gate.waiting == 1 }
        caller.cancel()
        #expect(await caller.value == .cancelled)
        #expect(lease.isValid)
    }

    @Test func drainsWhenTheLastOneHasEnded() async throws {
        let (lease, calls) = make()
        let gate = Gate()
        let work = Task { await run(calls, gate, isStubborn: true) }
        try await eventually("it runs") { gate.waiting == 1 }
        lease.end(.immediate)
        let drained = Task {
            await calls.drained()
            return gate.waiting
        }
        #expect(gate.waiting == 1)
        gate.open()
        #expect(await drained.value == 0)
        #expect(await work.value == .opened)
    }
}
