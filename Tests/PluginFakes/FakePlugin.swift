import Foundation
public import GroupSPI
import Synchronization

/// A group plugin of any generation on a real Unix socket, with threads of its own; it answers as the released plugins
/// were recorded to answer, unless its script says otherwise.
public final class FakePlugin: Sendable {
    public let path: String
    public let apiVersion: FakeAPIVersion
    private let script: FakeScript

    struct State {
        var requests: [FakeRequest] = []
        var groups: [GroupSpec] = []
        var connections: [FakeConnection] = []
        var accepted = 0
        var held: [@Sendable () -> Void] = []
        var isStopped = false
    }

    let state = Mutex(State())
    private let listener: Int32

    /// Listens at once.
    public init(_ apiVersion: FakeAPIVersion, at path: String, script: FakeScript = .none) throws {
        self.path = path
        self.apiVersion = apiVersion
        self.script = script
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        unlink(path)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 1024) == 0 else { throw CocoaError(.fileWriteUnknown) }
        Thread.detachNewThread { self.accept() }
    }

    private func accept() {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else {
                close(listener)
                return
            }
            let connection = FakeConnection(descriptor: descriptor, plugin: self)
            let isStopped = state.withLock { state in
                state.connections.append(connection)
                state.accepted += 1
                return state.isStopped
            }
            connection.start()
            if isStopped { connection.hangUp() }
        }
    }

    /// Stops listening and closes every connection, as the end of the process would; the socket file goes too.
    public func stop() {
        let connections = state.withLock { state -> [FakeConnection]? in
            defer { state.isStopped = true }
            return state.isStopped ? nil : state.connections
        }
        guard let connections else { return }
        unlink(path)
        // The accepting thread wakes and closes the descriptor; nobody else may, or it could be another one's by then.
        _ = shutdown(listener, Int32(SHUT_RDWR))
        for connection in connections { connection.hangUp() }
    }

    /// Closes every connection and goes on listening.
    public func dropConnections() {
        for connection in state.withLock({ $0.connections }) { connection.hangUp() }
    }

    // MARK: - What happened

    /// Every call so far, without those by which a client finds out what the plugin speaks.
    public var requests: [FakeRequest] {
        state.withLock { $0.requests }.filter { !$0.method.hasPrefix("Handshake.") && !$0.method.hasPrefix("Plugin.") }
    }

    public var methods: [String] { requests.map { String($0.method.trimmingPrefix("Group.")) } }
    public var groups: [GroupSpec] { state.withLock { $0.groups } }
    public var openConnections: Int { state.withLock { $0.connections.count } }
    public var acceptedConnections: Int { state.withLock { $0.accepted } }
    public var heldReplies: Int { state.withLock { $0.held.count } }

    /// Sends the held replies, the last one first.
    public func releaseHeld() {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for send in held.reversed() { send() }
    }

    /// Makes the plugin know groups without being asked.
    public func seed(_ groups: [GroupSpec]) {
        state.withLock { $0.groups = groups }
    }

    // MARK: - For connections

    func hold(_ send: @escaping @Sendable () -> Void) {
        state.withLock { $0.held.append(send) }
    }

    func ended(_ connection: FakeConnection) {
        state.withLock { state in state.connections.removeAll { $0 === connection } }
    }

    func answer(_ request: FakeRequest) -> FakeAnswer {
        state.withLock { $0.requests.append(request) }
        return script.decide(request) ?? behave(request)
    }
}
