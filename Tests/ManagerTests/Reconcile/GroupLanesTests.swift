import GroupSPI
import ManagerModels
import SeededRandom
import Testing

@testable import Manager

struct GroupLanesTests {
    private let lanes = GroupLanes()
    private let log = Shared<[String]>([])

    private func note(_ text: String) { log.update { $0.append(text) } }
    private var notes: [String] { log.value }

    @Test func oneGroupGoesInTheOrderOfArrival() async throws {
        let clock = TestClock()
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                await lanes.hold(["a"]) {
                    _ = await gate.wait(until: clock.now() + .seconds(1), on: clock, isStubborn: true)
                }
            }
            try await eventually("the lane is taken") { gate.waiting == 1 }
            for number in 0..<20 {
                tasks.addTask {
                    note("arrived")
                    await lanes.hold(["a"]) { note("\(number)") }
                }
                // Arrived, and then in line: what comes next is behind it.
                try await eventually("\(number) is in line") { lanes.waiting("a") == number + 1 }
            }
            gate.open()
        }
        #expect(notes.filter { $0 != "arrived" } == (0..<20).map { "\($0)" })
        #expect(lanes.waiting("a") == nil)
    }

    @Test func groupsGoSideBySide() async throws {
        let clock = TestClock()
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                await lanes.hold(["a"]) {
                    _ = await gate.wait(until: clock.now() + .seconds(1), on: clock, isStubborn: true)
                }
            }
            try await eventually("the lane is taken") { gate.waiting == 1 }
            await lanes.hold(["b"]) { note("b") }
            #expect(notes == ["b"])
            gate.open()
        }
    }

    /// Two pieces of work that want the same lanes in different orders never wait for each other.
    @Test func severalLanesNeverDeadlock() async {
        let held = Shared<Set<Identifier>>([])
        let collisions = Shared(0)
        await withTaskGroup(of: Void.self) { tasks in
            for seed in 0..<300 {
                tasks.addTask {
                    var generator = SeededGenerator(UInt64(seed))
                    let groups = (["a", "b", "c", "d", "e"] as [Identifier]).shuffled(using: &generator).prefix(
                        Int.random(in: 1...5, using: &generator)
                    )
                    // A group that is named twice is held once.
                    await lanes.hold(Array(groups) + groups) {
                        held.update { held in
                            if !held.isDisjoint(with: groups) { collisions.update { $0 += 1 } }
                            held.formUnion(groups)
                        }
                        await Task.yield()
                        held.update { $0.subtract(groups) }
                    }
                }
            }
        }
        #expect(collisions.value == 0)
        for group: Identifier in ["a", "b", "c", "d", "e"] { #expect(lanes.waiting(group) == nil) }
    }
}
