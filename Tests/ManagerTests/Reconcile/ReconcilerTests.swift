import GroupSPI
import Store
import Testing

@testable import Manager

struct ReconcilerTests {
    private let start = BootInstant(nanoseconds: 0)

    private func state(
        _ group: Identifier,
        _ action: Change.Action = .set(GroupSpec.named("x").properties, plugin: "p"),
        _ status: Status = .applied,
        revision: Int = 1,
        previous: Change.Action? = nil
    ) -> GroupState {
        GroupState(
            group: group,
            change: Change(group: group, action: action, status: status),
            revision: revision,
            previous: previous
        )
    }

    private func spec(_ id: Identifier) -> GroupSpec { GroupSpec(id: id, properties: GroupSpec.named("x").properties) }

    @Test func aTermTellsThePluginEverythingThatStands() {
        var reconciler = Reconciler()
        let old = Change.Action.set(GroupSpec.named("x").properties, plugin: "p")
        reconciler.assume(
            [
                state("c"), state("a"), state("freed", .free), state("gone", .destroy),
                state("to free", .free, .pending), state("to destroy", .destroy, .pending, previous: old),
                state("unknown", .destroy, .pending),
            ],
            now: start
        )
        let tasks = reconciler.takeDue(now: start)
        #expect(tasks.map(\.group) == ["a", "c", "to destroy", "to free", "unknown"])
        #expect(
            tasks.map(\.goal) == [
                .watched(spec("a")), .watched(spec("c")), .destroyed(previous: spec("to destroy")), .freed,
                .destroyed(previous: nil),
            ]
        )
        #expect(tasks.map(\.isPending) == [false, false, true, true, true])
        #expect(reconciler.watchedGroups == ["a", "c"])
        #expect(reconciler.groups == ["a", "c", "to destroy", "to free", "unknown"])
    }

    @Test func whatHasBeenDueForLongestComesFirst() {
        var reconciler = Reconciler()
        reconciler.assume([state("a"), state("b"), state("c")], now: start)
        _ = reconciler.takeDue(now: start)
        for group: Identifier in ["c", "b"] {
            reconciler.finished(group, revision: 1, .noAnswer, now: start + .seconds(1))
        }
        reconciler.finished("a", revision: 1, .noAnswer, now: start + .seconds(2))
        let first = start + .seconds(1) + Reconciler.delay(afterAttempts: 1)
        #expect(reconciler.nextDue == first)
        // A user's write has overtaken it: it waits no more.
        reconciler.wrote(state("b", revision: 2))
        #expect(reconciler.takeDue(now: start + .seconds(60), limit: 1).map(\.group) == ["c"])
        #expect(reconciler.nextDue == first + .seconds(1))
        #expect(reconciler.takeDue(now: start + .seconds(60)).map(\.group) == ["a"])
        #expect(reconciler.nextDue == nil)
    }

    @Test func aTaskIsGivenOutOnceUntilItIsFinished() {
        var reconciler = Reconciler()
        reconciler.assume([state("a"), state("b"), state("c")], now: start)
        #expect(reconciler.takeDue(now: start, limit: 2).map(\.group) == ["a", "b"])
        #expect(reconciler.takeDue(now: start, limit: 0).isEmpty)
        #expect(reconciler.takeDue(now: start, limit: -1).isEmpty)
        #expect(reconciler.takeDue(now: start).map(\.group) == ["c"])
        #expect(reconciler.takeDue(now: start + .seconds(600)).isEmpty)
        #expect(reconciler.nextDue == nil)
        #expect(!reconciler.isSettled)
        for group: Identifier in ["a", "b", "c"] { reconciler.finished(group, revision: 1, .done, now: start) }
        #expect(reconciler.isSettled)
    }

    @Test(arguments: [Reconciler.Result.refused, .noAnswer])
    func whatFailsIsTriedAgainMoreAndMoreRarely(_ result: Reconciler.Result) throws {
        var reconciler = Reconciler()
        reconciler.assume([state("a")], now: start)
        var now = start
        var delays: [Int] = []
        for _ in 0..<9 {
            #expect(reconciler.takeDue(now: now).count == 1)
            reconciler.finished("a", revision: 1, result, now: now)
            let due = try #require(reconciler.nextDue)
            delays.append((due - now).milliseconds)
            now = due
        }
        #expect(delays == [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
        #expect(Reconciler.delay(afterAttempts: 1_000_000) == .seconds(30))
        // Success forgets the failures.
        _ = reconciler.takeDue(now: now)
        reconciler.finished("a", revision: 1, .done, now: now)
        reconciler.pluginReports([], askedAt: now + .seconds(1), now: now + .seconds(1))
        _ = reconciler.takeDue(now: now + .seconds(1))
        reconciler.finished("a", revision: 1, result, now: now)
        #expect(reconciler.nextDue == now + .milliseconds(500))
    }

    @Test func whatIsDoneIsDone() {
        var reconciler = Reconciler()
        reconciler.assume([state("a", .free, .pending), state("b", .destroy, .pending), state("c")], now: start)
        for task in reconciler.takeDue(now: start) {
            reconciler.finished(task.group, revision: task.revision, .done, now: start)
        }
        #expect(reconciler.groups == ["c"])
        #expect(reconciler.takeDue(now: start + .seconds(600)).isEmpty)
    }

    @Test func aNewerWriteOvertakesATask() {
        var reconciler = Reconciler()
        reconciler.assume([state("a")], now: start)
        let task = reconciler.takeDue(now: start)[0]
        reconciler.wrote(state("a", .set(.null, plugin: "p"), .pending, revision: 2))
        #expect(reconciler.task(for: "a") != task)
        // The late end of the old task says nothing about the new one.
        reconciler.finished("a", revision: 1, .noAnswer, now: start)
        #expect(reconciler.nextDue == nil)
        reconciler.finished("a", revision: 2, .noAnswer, now: start)
        #expect(reconciler.takeDue(now: start + .milliseconds(500)).map(\.revision) == [2])
        #expect(reconciler.takeDue(now: start).isEmpty)
    }

    @Test func aRefusedChangeBringsBackWhatWasBefore() {
        var reconciler = Reconciler()
        let rejected = state("a", .free, .pending, revision: 5)
        // The plugin has the old state still.
        reconciler.wrote(rejected)
        reconciler.restore(state("a"), of: "a", isKnown: true, now: start)
        #expect(reconciler.isSettled)
        #expect(reconciler.watchedGroups == ["a"])
        // A plugin that never had it is told.
        reconciler.restore(state("a"), of: "a", isKnown: false, now: start)
        #expect(reconciler.takeDue(now: start).map(\.revision) == [1])
        // What was still open before is open again.
        reconciler.restore(state("a", .free, .pending, revision: 4), of: "a", isKnown: true, now: start)
        #expect(reconciler.takeDue(now: start).map(\.goal) == [.freed])
        // There was nothing.
        reconciler.restore(nil, of: "a", isKnown: true, now: start)
        #expect(reconciler.task(for: "a") == nil)
        reconciler.restore(state("a", .free), of: "a", isKnown: true, now: start)
        #expect(reconciler.groups.isEmpty)
    }

    /// What the plugin has not confirmed, it does not know better after it has refused another change.
    @Test func whatWasDueBeforeARefusedChangeIsDueAgain() {
        var reconciler = Reconciler()
        reconciler.assume([state("a")], now: start)
        _ = reconciler.takeDue(now: start)
        reconciler.finished("a", revision: 1, .refused, now: start)
        reconciler.wrote(state("a", .free, .pending, revision: 2))
        reconciler.restore(state("a"), of: "a", isKnown: true, now: start)
        #expect(reconciler.takeDue(now: start).map(\.revision) == [1])
    }

    /// An earlier attempt, whose answer was lost, may have been carried out.
    @Test(arguments: [true, false])
    func whatDidNotStandBeforeARefusedChangeIsLetGo(_ wasFreed: Bool) {
        var reconciler = Reconciler()
        reconciler.restore(wasFreed ? state("a", .free) : nil, of: "a", isKnown: false, now: start)
        let tasks = reconciler.takeDue(now: start)
        #expect(tasks.map(\.goal) == [.freed])
        #expect(tasks.map(\.isPending) == [false])
        reconciler.finished("a", revision: tasks[0].revision, .done, now: start)
        #expect(reconciler.groups.isEmpty)
    }

    /// Left over from an earlier term: another has ended it meanwhile.
    @Test func whatHasEndedAndIsWatchedIsLetGo() {
        var reconciler = Reconciler()
        reconciler.assume([state("a", .free), state("b", .destroy), state("c")], now: start)
        _ = reconciler.takeDue(now: start)
        let later = start + .seconds(1)
        // Of `x` nobody has said anything, `c` is to be watched.
        reconciler.pluginReports(["a", "b", "c", "x"], askedAt: start, now: later)
        #expect(reconciler.takeDue(now: later).isEmpty)
        reconciler.pluginReports(["a", "b", "c", "x"], askedAt: later, now: later)
        let tasks = reconciler.takeDue(now: later)
        #expect(tasks.map(\.group) == ["a", "b"])
        #expect(tasks.allSatisfy { $0.goal == .freed && !$0.isPending })
        for task in tasks { reconciler.finished(task.group, revision: task.revision, .done, now: later) }
        #expect(reconciler.groups == ["c"])
        // A write that has come meanwhile counts.
        reconciler.wrote(state("a", .set(.null, plugin: "p"), .pending, revision: 2))
        reconciler.pluginReports(["a"], askedAt: later + .seconds(1), now: later + .seconds(1))
        #expect(reconciler.task(for: "a")?.revision == 2)
    }

    @Test func whatThePluginHasForgottenIsDueAgain() {
        var reconciler = Reconciler()
        reconciler.assume([state("a"), state("b"), state("c")], now: start)
        _ = reconciler.takeDue(now: start)
        reconciler.finished("a", revision: 1, .done, now: start)
        reconciler.finished("b", revision: 1, .done, now: start + .seconds(5))
        // `b` was confirmed after the question, `c` is being told: the answer says nothing about them.
        reconciler.pluginReports(["x"], askedAt: start + .seconds(5), now: start + .seconds(6))
        #expect(reconciler.takeDue(now: start + .seconds(6)).map(\.group) == ["a"])
        reconciler.finished("a", revision: 1, .done, now: start + .seconds(6))
        reconciler.pluginReports(["a", "b"], askedAt: start + .seconds(9), now: start + .seconds(9))
        #expect(reconciler.takeDue(now: start + .seconds(9)).isEmpty)
    }
}
