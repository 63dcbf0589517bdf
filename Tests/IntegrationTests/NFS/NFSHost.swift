import Glibc
import GroupSPI
import NFSLabSupport
import Synchronization
import Testing

/// A client of the NFS server with a manager of ours on it, and the built-in plugin.
final class NFSHost: Sendable {
    /// Of the node, and of the replica.
    let name: String
    let lab: NFSLab
    private let state = Mutex(State())

    private struct State {
        var plugins: [LabProgram] = []
        var managers: [LabProgram] = []
        var writers: [LabProgram] = []
        var spans: [Span] = []
    }

    /// A time in which this host's kernel did nothing.
    struct Span {
        let from: ContinuousClock.Instant
        var until: ContinuousClock.Instant?
        /// It went on after that with all that it had.
        let goesOn: Bool
    }

    init(_ name: String, _ lab: NFSLab) {
        self.name = name
        self.lab = lab
    }

    static let storeDirectory = "/shared/store"
    private static let directory = "/run/infrakit"

    /// Short times, with room for kernels that take turns on a processor.
    static let times = ["--lease-ttl", "6s", "--poll-interval", "1s"]
    static let ttl = Duration.seconds(6)
    static let renewDeadline = Duration.seconds(4)

    // MARK: - Programs

    /// The library path: the node has no Swift library of its own, and lacks a few others.
    private static let libraries = ["libswiftCore.so", "libyaml-0.so"].compactMap { name in
        Files.read("/proc/self/maps")?.split(separator: "\n").first { $0.contains("/\(name)") }
            .flatMap { line in line.firstIndex(of: "/").map { line[$0...] } }
            .flatMap { path in path.lastIndex(of: "/").map { NFSLab.path(ofHost: String(path[..<$0])) } }
    }

    private var environment: [String: String] {
        [
            "HOME": "/root", "USER": "root", "TZ": "UTC", "LD_LIBRARY_PATH": Self.libraries.joined(separator: ":"),
            "INFRAKIT_PLUGINS_DIR": Self.directory, "INFRAKIT_STORE_DIR": Self.storeDirectory,
        ]
    }

    /// Starts plugin and manager, and waits until both serve their sockets.
    func startPrograms(_ words: [String] = NFSHost.times, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        let made = await run("mkdir", "-p", "-m", "700", Self.directory)
        try #require(made.status == 0, "\(made)", sourceLocation: sourceLocation)
        let program = NFSLab.path(ofHost: try BuiltProgram.manager.path())
        let plugin = lab.start([program, "plugin", "process"], on: name, environment: environment)
        state.withLock { $0.plugins.append(plugin) }
        try await waitUntilListening(plugin, sourceLocation)
        let manager = lab.start([program, "os", "--id", name] + words, on: name, environment: environment)
        state.withLock { $0.managers.append(manager) }
        try await waitUntilListening(manager, sourceLocation)
    }

    private func waitUntilListening(_ program: LabProgram, _ sourceLocation: SourceLocation) async throws {
        try await eventually(
            "a program of \(name) serves its socket",
            within: .seconds(60),
            sourceLocation: sourceLocation
        ) {
            if let status = program.status { throw Trouble("it ended with \(status): \(program.text)") }
            return program.lines.contains { $0.event == "listening" }
        }
    }

    /// The one that was started last.
    var manager: LabProgram {
        get throws {
            guard let program = state.withLock({ $0.managers.last }) else { throw Trouble("no manager on \(name)") }
            return program
        }
    }

    /// Whether a manager of this host has logged that event, with these words in it.
    func logs(_ event: String, _ words: String) -> Bool {
        state.withLock { $0.managers }.flatMap(\.lines).contains { $0.event == event && $0.text.contains(words) }
    }

    /// The newest epoch in which this host has read what stands, and so takes writes, and since when; nil when that is over.
    var leadership: (epoch: Int, since: ContinuousClock.Instant)? {
        var found: (Int, ContinuousClock.Instant)?
        for line in state.withLock({ $0.managers.last })?.lines ?? [] {
            switch line.event {
            case "groups loaded": found = line.field("lease.epoch").flatMap { Int($0) }.map { ($0, line.at) }
            case "leadership lost", "the manager stands still past its deadline; letting its groups go": found = nil
            default: break
            }
        }
        return found
    }

    /// What the manager says that it is.
    var role: String? { (try? manager)?.lines.last { $0.event == "role changed" }?.field("role") }

    // MARK: - Commands

    func run(_ words: String..., within limit: Duration = .seconds(60)) async -> LabResult {
        await lab.run(words, on: name, within: limit)
    }

    /// `infrakit-manager …`
    func command(_ words: String...) async throws -> LabResult { try await run(.manager, words) }

    func command(_ words: [String]) async throws -> LabResult { try await run(.manager, words) }

    func infrakit(_ words: String..., input: String = "") async throws -> LabResult {
        try await run(.infrakit, words, input: input)
    }

    private func run(
        _ program: BuiltProgram,
        _ words: [String],
        input: String = ""
    ) async throws -> LabResult {
        await lab.run(
            [NFSLab.path(ofHost: try program.path())] + words,
            on: name,
            environment: environment,
            input: input,
            within: .seconds(120)
        )
    }

    /// Starts `infrakit-manager …` and does not wait.
    func launch(_ words: [String]) throws -> LabProgram {
        lab.start([NFSLab.path(ofHost: try BuiltProgram.manager.path())] + words, on: name, environment: environment)
    }

    // MARK: - Writers

    /// Commits one group again and again, each time with another mark, until ``stopWriting()``.
    func startWriting(_ group: String, from first: Int) throws {
        let script = #"""
            n=$3
            while [ ! -e /run/quiet ]; do
                n=$((n + 1))
                said=$(printf '{"ID":"%s","Properties":{"Allocation":{"Size":0},"Instance":{"Properties":{"Command":["true"]}},"Mark":%d}}' "$2" $n |
                    "$1" group commit - 2>&1)
                echo "wrote $n $?" $said
                sleep 0.1
            done
            """#
        let program = NFSLab.path(ofHost: try BuiltProgram.infrakit.path())
        let writer = lab.start(
            ["sh", "-c", script, "sh", program, group, "\(first)"],
            on: name,
            environment: environment
        )
        state.withLock { $0.writers.append(writer) }
    }

    /// Goes on with what a boot has ended.
    func startWritingAgain(_ group: String) throws {
        // Far from all marks that were on their way when the host was lost.
        try startWriting(group, from: (answers.last?.mark ?? 0) + 1000)
    }

    func stopWriting() async throws {
        let finished = await run("touch", "/run/quiet")
        try #require(finished.status == 0, "\(finished)")
        for writer in state.withLock({ $0.writers }) {
            try await eventually("a writer on \(name) ends", within: .seconds(120)) { writer.status != nil }
        }
        _ = await run("rm", "/run/quiet")
    }

    /// What the writers were told, oldest first.
    var answers: [(mark: Int, status: Int, message: String)] {
        state.withLock { $0.writers }.flatMap(\.lines).compactMap { line in
            let words = line.text.split(separator: " ", maxSplits: 3)
            guard words.first == "wrote", words.count >= 3, let mark = Int(words[1]), let status = Int(words[2]) else {
                return nil
            }
            return (mark, status, words.count > 3 ? String(words[3]) : "")
        }
    }

    // MARK: - What its plugin had

    /// Notes that the kernel stands still from now on.
    func noteStandstill(goesOn: Bool) {
        state.withLock { $0.spans.append(Span(from: .now, until: nil, goesOn: goesOn)) }
    }

    /// Notes that the kernel goes on from now on.
    func noteMotion() {
        state.withLock { state in
            guard let last = state.spans.indices.last else { return }
            state.spans[last].until = .now
        }
    }

    /// The times in which this host's plugin watched each group, and could act.
    var watches: [Watch] {
        let (plugins, spans) = state.withLock { ($0.plugins, $0.spans) }
        return plugins.flatMap { plugin in
            var open: [Identifier: ContinuousClock.Instant] = [:]
            var watches: [Watch] = []
            for line in plugin.lines {
                guard let group = line.field("group.id").map({ Identifier($0) }) else { continue }
                switch line.event {
                case "watching the group": open[group] = line.at
                case "freed the group", "destroying the group":
                    guard let from = open.removeValue(forKey: group) else { continue }
                    watches += Watch(host: name, group: group, from: from, until: line.at).without(spans)
                default: break
                }
            }
            let end = ContinuousClock.now
            return watches + open.flatMap { Watch(host: name, group: $0, from: $1, until: end).without(spans) }
        }
    }

    var watched: Set<Identifier> {
        let now = ContinuousClock.now
        return Set(watches.filter { $0.until >= now - .milliseconds(1) }.map(\.group))
    }

    func printLog() {
        let (plugins, managers, writers) = state.withLock { ($0.plugins, $0.managers, $0.writers) }
        for (kind, programs) in [("plugin", plugins), ("manager", managers), ("writer", writers)] {
            for program in programs {
                let last = program.lines.suffix(60).map(\.text).joined(separator: "\n")
                printError("--- \(name) \(kind)\n\(last)")
            }
        }
    }
}

/// A time in which a plugin watched a group.
struct Watch: Sendable {
    let host: String
    let group: Identifier
    let from: ContinuousClock.Instant
    let until: ContinuousClock.Instant
    /// What is left of it after the host had stood still.
    var isRemainder = false

    /// Without the times in which the host's kernel did nothing.
    func without(_ spans: [NFSHost.Span]) -> [Watch] {
        var rest = [self]
        for span in spans {
            rest = rest.flatMap { watch -> [Watch] in
                guard watch.from < span.from, watch.until > span.from else { return [watch] }
                var parts = [
                    Watch(host: host, group: group, from: watch.from, until: span.from, isRemainder: watch.isRemainder)
                ]
                if span.goesOn, let end = span.until, watch.until > end {
                    parts.append(Watch(host: host, group: group, from: end, until: watch.until, isRemainder: true))
                }
                return parts
            }
        }
        return rest
    }

    /// How long both lasted at the same time; nil when they did not, or are one host's.
    func overlap(_ other: Watch) -> Duration? {
        guard host != other.host, group == other.group else { return nil }
        let length = min(until, other.until) - max(from, other.from)
        return length > .zero ? length : nil
    }
}

extension LabProgram.Line {
    /// The event that a program of ours has logged.
    var event: String? { value(after: "msg=") }

    func field(_ name: String) -> String? { value(after: " \(name)=") }

    private func value(after prefix: String) -> String? {
        guard let start = text.firstRange(of: prefix)?.upperBound else { return nil }
        let rest = text[start...]
        guard rest.first == "\"" else { return String(rest.prefix { $0 != " " }) }
        return String(rest.dropFirst().prefix { $0 != "\"" })
    }
}

extension LabProgram {
    var text: String { lines.map(\.text).joined(separator: "\n") }
}
