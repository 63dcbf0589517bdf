internal import BenchmarkSupport
internal import Synchronization

/// What private memory a manager and its guard had, at which point.
final class MemoryLog: Sendable {
    /// In MB.
    struct Entry: Sendable {
        let reads: Int
        let manager: Double
        let guardian: Double
    }

    private let host: Host
    private let list = Mutex<[Entry]>([])

    init(of host: Host) { self.host = host }

    func note(reads: Int) async throws {
        let manager = try ProcessTable.memory(host.pid).privateDirty
        let guardian = try await ProcessTable.memory(host.guardPID).privateDirty
        list.withLock { $0.append(Entry(reads: reads, manager: manager, guardian: guardian)) }
    }

    var entries: [Entry] { list.withLock { $0 } }

    func curve(_ title: String, _ value: (Entry) -> Double) -> Picture.Curve {
        Picture.Curve(title: title, points: entries.map { (Double($0.reads), value($0)) })
    }
}
