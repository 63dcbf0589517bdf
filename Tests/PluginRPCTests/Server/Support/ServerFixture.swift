import Glibc
import GroupSPI
import Logging
import NIOPosix
import PluginRPC
import Synchronization

/// A server on a socket in a directory of its own.
struct ServerFixture {
    let server: PluginServer
    let socketPath: String
    let group: ScriptedGroup
    let log: LogKeeper

    /// A connection to the server.
    func connect() async throws -> RawClient { try await RawClient.connect(to: socketPath) }

    /// Sends text on a connection of its own, and returns all that comes back until it closes or `isEnough`.
    func exchange(_ text: String, until isEnough: @escaping @Sendable (String) -> Bool) async throws -> String {
        let client = try await connect()
        defer { client.close() }
        client.send(text)
        return try await client.text(until: isEnough)
    }
}

/// Runs a test with a server, stops the server and removes its directory.
func withPluginServer(
    _ group: ScriptedGroup = ScriptedGroup(),
    manager: ((ScriptedGroup) -> ScriptedManager)? = { ScriptedManager(group: $0) },
    configuration: PluginServerConfiguration = .init(),
    _ body: (ServerFixture) async throws -> Void
) async throws {
    try await withServerDirectory { directory in
        let log = LogKeeper()
        let path = "\(directory)/group"
        let server = try await PluginServer.start(
            ServedPlugin(name: "group", group: group, manager: manager?(group)),
            at: path,
            configuration: configuration,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: log.logger
        )
        do {
            try await body(ServerFixture(server: server, socketPath: path, group: group, log: log))
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .zero)
    }
}

extension PluginServerConfiguration {
    /// The standard configuration but for one value.
    static func with<Value>(_ member: WritableKeyPath<Self, Value>, _ value: Value) -> Self {
        Self().with(member, value)
    }

    func with<Value>(_ member: WritableKeyPath<Self, Value>, _ value: Value) -> Self {
        var configuration = self
        configuration[keyPath: member] = value
        return configuration
    }
}

/// Runs a test with an empty directory, and removes it with what is in it.
func withServerDirectory(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/plugin-server-XXXXXX".utf8CString)
    let directory = template.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    guard let directory else { throw TestTrouble("mkdtemp: \(String(cString: strerror(errno)))") }
    defer { removeTree(directory) }
    try await body(directory)
}

private func removeTree(_ path: String) {
    for name in directoryEntries(path) {
        if unlink("\(path)/\(name)") != 0 { removeTree("\(path)/\(name)") }
    }
    rmdir(path)
}

/// The names in a directory, without `.` and `..`.
func directoryEntries(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// The permissions of a file; nil when there is none.
func permissions(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
}

struct TestTrouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Keeps what a server logs.
final class LogKeeper: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger { Logger(label: "test", factory: { _ in Handler(keeper: self) }) }

    private struct Handler: LogHandler {
        let keeper: LogKeeper
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let extra = metadata.merging(event.metadata ?? [:]) { $1 }
            keeper.lines.withLock { $0.append("\(event.level) \(event.message) \(extra)") }
        }
    }
}
