import GroupSPI
import Store
import Synchronization
import Testing

/// What writers know of their writes, to be compared with the history: each is a size that no other write uses.
final class Ledger: Sendable {
    struct Entries {
        var acknowledged: [Int] = []
        /// The manager said that it was stored, though the plugin had not confirmed it.
        var recorded: [Int] = []
        var refused: [Int] = []
        /// The connection broke, or the answer left it open.
        var unknown: [Int] = []

        /// - Parameter isAnswer: whether the words are the manager's own.
        fileprivate mutating func add(_ number: Int, _ words: String, isAnswer: Bool) {
            if isAnswer,
                ["not the leader", "nothing was changed", "nothing was stored"].contains(where: words.contains)
            {
                refused.append(number)
            } else if isAnswer, words.contains("recorded as revision") {
                recorded.append(number)
            } else {
                unknown.append(number)
            }
        }
    }

    private let state = Mutex((entries: Entries(), isOver: false))

    var entries: Entries { state.withLock { $0.entries } }
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Ends the writers.
    func end() { state.withLock { $0.isOver = true } }

    private func note(_ change: (inout Entries) -> Void) { state.withLock { change(&$0.entries) } }

    /// Takes note of what a program was told of its write.
    ///
    /// - Parameter refusal: the words of the error; nil when it was acknowledged.
    func note(_ number: Int, _ refusal: String?) {
        note { entries in
            if let refusal { entries.add(number, refusal, isAnswer: true) } else { entries.acknowledged.append(number) }
        }
    }

    /// Commits the group `g<writer>` again and again, to one host after the other.
    ///
    /// - Parameter patience: how long a call may take.
    func write(
        _ writer: Int,
        _ hosts: [Host],
        every pause: Duration = .milliseconds(5),
        patience: Duration = .seconds(30)
    ) async throws {
        var size = writer * 1_000_000
        while !isOver {
            for host in hosts where !isOver {
                size += 1
                let spec = GroupSpec.sized("g\(writer)", size)
                do throws(GroupError) {
                    let request = GroupRequest.commit(spec, pretend: false)
                    _ = try await host.call(request, within: patience)
                    note { $0.acknowledged.append(size) }
                } catch {
                    note { entries in
                        if error.code == .unreachable || error.code == .notRunning {
                            entries.refused.append(size)
                        } else {
                            entries.add(size, error.message, isAnswer: error.code == .rejected)
                        }
                    }
                }
                // A client that asks a follower over and over is of no use to anybody.
                try await Task.sleep(for: pause, clock: .suspending)
            }
        }
    }

    func expectAllOf(_ history: [Revision]) { expectAllOf(history.flatMap(\.sizes).compactMap { $0 }) }

    /// - Parameter stored: what each revision of the history has stored.
    func expectAllOf(_ stored: [Int]) {
        var counts: [Int: Int] = [:]
        for number in stored { counts[number, default: 0] += 1 }
        let known = entries
        #expect(!known.acknowledged.isEmpty)
        #expect(known.acknowledged.allSatisfy { counts[$0] == 1 }, "an acknowledged one is not there once")
        #expect(known.recorded.allSatisfy { counts[$0] == 1 }, "a recorded one is not there once")
        #expect(known.unknown.allSatisfy { counts[$0, default: 0] <= 1 }, "a commit was stored twice")
        #expect(known.refused.allSatisfy { counts[$0] == nil }, "a refused commit was stored")
    }
}
