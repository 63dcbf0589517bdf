/// A lock on a file of one host: held by a process for as long as it lives.
final class LocalLock: @unchecked Sendable {
    private(set) var holder: SimulatedProcess?
    private var waiting: [(process: SimulatedProcess, action: () -> Void)] = []

    var isFree: Bool { holder == nil }
    var isAwaited: Bool { !waiting.isEmpty }

    /// - Parameter action: when it is the process's turn.
    func take(_ process: SimulatedProcess, _ action: @escaping () -> Void) {
        waiting.append((process, action))
        grant()
    }

    /// What a process has, or waits for, when it ends.
    func leave(_ process: SimulatedProcess) {
        waiting.removeAll { $0.process === process }
        guard holder === process else { return }
        holder = nil
        grant()
    }

    private func grant() {
        guard holder == nil, !waiting.isEmpty else { return }
        let next = waiting.removeFirst()
        holder = next.process
        next.action()
    }
}
