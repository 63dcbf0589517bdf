internal import Synchronization

/// A command in a node that stays. What it writes is heard here as it comes, also when its node is cut off from the server.
public final class LabProgram: Sendable {
    /// One line of its output or errors.
    public struct Line: Sendable {
        /// When it was heard, by this machine's clock: one clock for all nodes.
        public let at: ContinuousClock.Instant
        public let text: String
    }

    private struct State {
        var pid: Int?
        var lines: [Line] = []
        var status: Int32?
    }

    public let node: String
    private let lab: NFSLab
    private let state = Mutex(State())

    /// Tells its process number first.
    static let wrapper = #"echo "pid $$"; exec "$@""#

    init(node: String, line: String, of lab: NFSLab) {
        self.node = node
        self.lab = lab
        // Not a child of anybody: it ends with its node at the latest, and the lab takes those down.
        Task {
            let status = await Shell.run(line) { self.hear($0) }
            state.withLock { $0.status = status }
        }
    }

    private func hear(_ text: String) {
        let now = ContinuousClock.now
        let text = text.hasSuffix("\n") ? String(text.dropLast()) : text
        state.withLock { state in
            if state.pid == nil, text.hasPrefix("pid "), let pid = Int(text.dropFirst(4)) {
                state.pid = pid
            } else {
                state.lines.append(Line(at: now, text: text))
            }
        }
    }

    public var lines: [Line] { state.withLock { $0.lines } }

    /// How it ended, 255 when its node went away; nil while anybody holds its output.
    public var status: Int32? { state.withLock { $0.status } }

    /// Sends a signal: `TERM`, `KILL`, `STOP`, …
    ///
    /// - Throws: ``NFSLab/Trouble`` when there is no such process.
    public func send(_ signal: String) async throws {
        guard let pid = state.withLock({ $0.pid }) else {
            throw NFSLab.Trouble(description: "a program on \(node) has not begun", isAbsent: false)
        }
        let finished = await lab.run(["kill", "-s", signal, "\(pid)"], on: node)
        guard finished.status == 0 else { throw NFSLab.Trouble(description: "\(finished)", isAbsent: false) }
    }
}
