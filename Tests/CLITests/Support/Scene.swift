import Foundation
import GroupSPI
import Logging
import NIOPosix
import PluginRPC
import Synchronization
import Terminal
import Testing

@testable import CLI
@testable import Store

/// Long enough for a machine that is busy with other tests; no test waits for it to pass.
let patience = Duration.seconds(60)

/// A store directory, a plugin directory, and a clock that stands: what a verb prints here is the same everywhere.
struct Scene: Sendable {
    let directory: String
    let store: Store

    /// 2026-11-22T15:00:00Z.
    static let start = 1_795_359_600_000

    /// - Parameter minutes: since the start.
    static func time(_ minutes: Int) -> Int { start + minutes * 60_000 }

    /// Two seconds after the lease of ``script()`` was renewed.
    static let now = Timestamp(milliseconds: time(60) + 2000)

    /// A scene with an empty store.
    static func with<Result>(_ body: (Scene) async throws -> Result) async throws -> Result {
        useUTC
        let directory = "/tmp/cli-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        let files = FileManager.default
        for name in ["store", "plugins"] {
            try files.createDirectory(atPath: "\(directory)/\(name)", withIntermediateDirectories: true)
        }
        defer { try? files.removeItem(atPath: directory) }
        let path = StoreConfiguration.path(in: "\(directory)/store")
        let store = try await Store.openForManager(StoreConfiguration(path: path, busyTimeout: 10_000))
        return try await body(Scene(directory: directory, store: store))
    }

    /// A scene with the history of ``script()``.
    static func scripted<Result>(_ body: (Scene) async throws -> Result) async throws -> Result {
        try await with { scene in
            try await scene.script()
            return try await body(scene)
        }
    }

    /// Tables show the zone of the host. Set once, and only where it is another: other threads may read the environment.
    private static let useUTC: Void = {
        guard !Timestamp(milliseconds: start).local.hasSuffix("Z") else { return }
        setenv("TZ", "UTC", 1)
        tzset()
    }()

    // MARK: - Verbs

    struct Finished: CustomStringConvertible {
        let words: [String]
        let status: CLI.ExitStatus
        let output: String
        let errors: String

        var description: String { "\(words.joined(separator: " ")) → \(status)\n\(output)\n\(errors)" }
    }

    /// - Parameter line: the words behind the program's name, with blanks between them.
    func run(
        _ line: String,
        isTerminal: Bool = false,
        width: Int? = nil,
        environment: [String: String] = [:],
        now: Timestamp = Scene.now,
        clock: (@Sendable () -> Timestamp)? = nil,
        hasReader: @escaping @Sendable () -> Bool = { true },
        output take: @escaping @Sendable (String) throws -> Void = { _ in }
    ) async -> Finished {
        let words = line.split(separator: " ").map(String.init)
        let (output, errors) = (Text(), Text())
        let own = [
            "HOME": "\(directory)/home", "INFRAKIT_STORE_DIR": "\(directory)/store",
            "INFRAKIT_PLUGINS_DIR": "\(directory)/plugins", "TMPDIR": directory,
        ]
        let session = Session(
            environment: own.merging(environment) { _, new in new },
            standardOutput: {
                try take($0.text)
                output.append($0.text)
            },
            standardError: { errors.append($0.text) },
            log: LogBuffer { errors.append($0) },
            hasReader: hasReader,
            isTerminal: isTerminal,
            isAttended: false,
            width: width,
            now: clock ?? { now }
        )
        let status = await Program.run(words, in: session)
        return Finished(words: words, status: status, output: output.value, errors: errors.value)
    }

    /// Runs a verb, which writes nothing but results, and compares them with a file.
    func expect(
        _ line: String,
        golden name: String,
        status: CLI.ExitStatus = .done,
        width: Int? = nil,
        now: Timestamp = Scene.now,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let finished = await run(line, width: width, now: now)
        try expect(finished, golden: name, status: status, sourceLocation: sourceLocation)
    }

    func expect(
        _ finished: Finished,
        golden name: String,
        status: CLI.ExitStatus = .done,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(finished.status == status, "\(finished)", sourceLocation: sourceLocation)
        #expect(finished.errors.isEmpty, "\(finished)", sourceLocation: sourceLocation)
        try Golden.expect(stable(finished.output), name, sourceLocation: sourceLocation)
    }

    /// What differs from host to host and from run to run, replaced.
    func stable(_ text: String) -> String {
        text.replacing(directory, with: "/scene")
            .replacing(#/is on [^\n"]+/#, with: "is on <mount>")
            .replacing(#/\([^()\n]+ at /[^()\n]*\)$/#.anchorsMatchLineEndings(), with: "(<type> at <mount>)")
            .replacing(#/("type"|"mount"): "[^"]+"/#) { "\($0.output.1): \"<\($0.output.1.filter(\.isLetter))>\"" }
            .replacing(#/[0-9]+ MB \([0-9]+ %\) free/#, with: "<room> free")
    }

    private final class Text: Sendable {
        private let text = Mutex("")
        func append(_ more: String) { text.withLock { $0 += more } }
        var value: String { text.withLock { $0 } }
    }

    // MARK: - The manager on this host

    /// Runs a verb while a manager that says this of itself answers on this host.
    func withReplica<Result>(_ status: JSON, _ body: () async throws -> Result) async throws -> Result {
        let server = try await PluginServer.start(
            ServedPlugin(name: "group", group: Replica(json: status), manager: Replica(json: status)),
            at: "\(directory)/plugins/group",
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "replica") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            let result = try await body()
            await server.stop(grace: .zero)
            return result
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
    }

    private struct Replica: GroupEndpoint, ManagerEndpoint {
        let json: JSON

        func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply { .ok }
        func isLeader() async -> Bool { false }
        func leaderLocation() async -> String? { nil }
        func specs(within limit: Duration?) async throws(GroupError) -> [GroupSpec] { [] }
        func status() async -> JSON { json }
        func lookForRequests() async -> Bool { false }
        func storeOutcomes() async -> Bool { false }
        func findLoop(through managers: [Identifier]) async -> Bool? { false }
    }
}
