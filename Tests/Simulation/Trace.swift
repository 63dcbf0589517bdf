internal import Logging

/// What happened in a schedule, line by line, and a number that stands for all of it.
final class Trace: @unchecked Sendable {
    let isOn: Bool
    private(set) var lines: [String] = []
    /// FNV-1a over the lines: two runs that did the same have the same.
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    init(isOn: Bool) {
        self.isOn = isOn
    }

    func note(_ time: Int, _ process: SimulatedProcess, _ text: () -> String) {
        guard isOn else { return }
        let line = "\(Self.shown(time)) \(process.name.padded(to: 12)) \(text())"
        for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        lines.append(line)
    }

    /// Seconds, to the microsecond.
    private static func shown(_ time: Int) -> String {
        let micros = String(time / 1000 % 1_000_000)
        return "\(time / 1_000_000_000).\(String(repeating: "0", count: 6 - micros.count))\(micros)".padded(to: 11)
    }
}

/// What the replicas log, in the trace.
struct TraceLog: LogHandler {
    private let world: World
    private let process: SimulatedProcess
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(_ world: World, _ process: SimulatedProcess) {
        self.world = world
        self.process = process
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        world.trace.note(world.scheduler.now, process) {
            let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
            return "\(event.message)\(details.joined())"
        }
    }
}

extension String {
    func padded(to length: Int) -> String { self + String(repeating: " ", count: max(0, length - count)) }
}
