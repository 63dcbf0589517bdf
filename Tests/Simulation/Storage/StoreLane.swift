internal import Store

/// A piece of work for a thread of the store.
final class StoreWork {
    enum Phase {
        case waiting, running, over
    }

    var phase = Phase.waiting
    /// What becomes of it when its process is killed amid it: it may have got through all the same.
    var whenKilled: (() -> Void)?
}

/// A thread of the store: one piece of work after the other, and none while one hangs.
final class StoreLane: @unchecked Sendable {
    private var waiting: [(work: StoreWork, begin: () -> Void)] = []
    private(set) var running: StoreWork?

    func add(_ work: StoreWork, begin: @escaping () -> Void) {
        waiting.append((work, begin))
        if running == nil { next() }
    }

    /// The work that was running is over.
    func finish(_ work: StoreWork) {
        work.phase = .over
        work.whenKilled = nil
        guard running === work else { return }
        running = nil
        next()
    }

    func clear() {
        running?.whenKilled = nil
        (waiting, running) = ([], nil)
    }

    private func next() {
        while running == nil, !waiting.isEmpty {
            let (work, begin) = waiting.removeFirst()
            // Nobody waits for it any more: it is not carried out later.
            guard work.phase == .waiting else { continue }
            work.phase = .running
            running = work
            begin()
        }
    }
}
