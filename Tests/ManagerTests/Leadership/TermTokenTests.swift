import Testing

@testable import Manager

struct TermTokenTests {
    private let clock = TestClock()

    @Test func theEndOfATermCancelsAllThatRunsUnderIt() async throws {
        let token = TermToken(epoch: 3)
        let gate = Gate()
        let until = clock.now() + .seconds(1)
        async let first = token.run { await gate.wait(until: until, on: clock, isStubborn: false) }
        async let second = token.run { await gate.wait(until: until, on: clock, isStubborn: false) }
        try await eventually("both run") { gate.waiting == 2 }
        token.end()
        #expect(await first == .cancelled)
        #expect(await second == .cancelled)
        #expect(token.isEnded)
        await token.drained()
    }

    @Test func nothingStartsAfterTheEnd() async {
        let token = TermToken(epoch: 3)
        token.end()
        #expect(await token.run { 1 } == nil)
        await token.drained()
    }

    @Test func theEndOfTheCallerCancelsItsWork() async throws {
        let token = TermToken(epoch: 3)
        let gate = Gate()
        let until = clock.now() + .seconds(1)
        let caller = Task { await token.run { await gate.wait(until: until, on: clock, isStubborn: false) } }
        try await eventually("it runs") { gate.waiting == 1 }
        caller.cancel()
        #expect(await caller.value == .cancelled)
        #expect(!token.isEnded)
    }

    @Test func drainsWhenTheLastOneHasEnded() async throws {
        let token = TermToken(epoch: 3)
        let gate = Gate()
        let until = clock.now() + .seconds(1)
        let work = Task { await token.run { await gate.wait(until: until, on: clock, isStubborn: true) } }
        try await eventually("it runs") { gate.waiting == 1 }
        token.end()
        let drained = Task {
            await token.drained()
            return gate.waiting
        }
        #expect(gate.waiting == 1)
        gate.open()
        #expect(await drained.value == 0)
        #expect(await work.value == .opened)
    }
}
