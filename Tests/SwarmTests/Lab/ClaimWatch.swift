import Replication
import Swarm
import Synchronization

/// Watches the claims of several replicas, each with an observer and a detector of its own.
final class ClaimWatch: Sendable {
    struct Change: Sendable, CustomStringConvertible {
        let at: ContinuousClock.Instant
        let leaders: [String]
        var description: String { leaders.isEmpty ? "nobody" : leaders.joined(separator: "+") }
    }

    private struct State {
        var detectors: [String: SwarmDetector] = [:]
        var changes: [Change] = []
        var answers: [String: SwarmObservation.Answer] = [:]
    }

    private let state: Mutex<State>

    init(_ nodes: [String], _ settings: SwarmDetectorSettings) {
        let detectors = Dictionary(uniqueKeysWithValues: nodes.map { ($0, SwarmDetector(settings)) })
        state = Mutex(State(detectors: detectors))
    }

    /// Asks one Engine until it is cancelled.
    func follow(_ node: String, _ client: EngineClient, every interval: Duration) async {
        let observer = SwarmObserver(client)
        while !Task.isCancelled {
            let observation = await observer.observe()
            state.withLock {
                $0.detectors[node]?.handle(observation)
                $0.answers[node] = observation.answer
            }
            try? await Task.sleep(for: interval, clock: .suspending)
        }
    }

    /// Takes note of who claims, until it is cancelled.
    func sample() async {
        while !Task.isCancelled {
            note()
            try? await Task.sleep(for: .milliseconds(10), clock: .suspending)
        }
    }

    private func note() {
        state.withLock { state in
            let now = ContinuousClock.now
            let leaders = state.detectors.filter { $0.value.claim(at: now).isLeader }.keys.sorted()
            if leaders != state.changes.last?.leaders ?? ["none yet"] {
                state.changes.append(Change(at: now, leaders: leaders))
            }
        }
    }

    var leaders: [String] { state.withLock { $0.changes.last?.leaders ?? [] } }
    var changes: [Change] { state.withLock { $0.changes } }
    var answers: [String: SwarmObservation.Answer] { state.withLock { $0.answers } }
}
