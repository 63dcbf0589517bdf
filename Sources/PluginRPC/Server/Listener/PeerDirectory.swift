internal import CLinux
internal import Dispatch
internal import Glibc
internal import GroupSPI
internal import NIOCore
internal import Synchronization

/// Who is at the other end of an accepted socket.
final class PeerDirectory: Sendable {
    private struct State {
        /// Users' names by number. The user database may be a slow network service, and asking it once is enough.
        var names: [uid_t: Identifier?] = [:]
        /// Who waits for the name of a user that is being looked up.
        var waiting: [uid_t: [EventLoopPromise<Identifier?>]] = [:]
    }

    /// The user database may be away, and the question hang. A user without a name is still told by the number.
    static let patience = TimeAmount.seconds(1)

    private let host: Identifier
    private let look: @Sendable (uid_t) -> Identifier?
    /// One question at a time, on a thread of its own: the pool's threads are needed for other things.
    private let queue = DispatchQueue(label: "user names")
    private let state = Mutex(State())

    /// - Parameter look: asks the user database, and may block.
    init(look: @escaping @Sendable (uid_t) -> Identifier? = { PeerDirectory.userName($0) }) {
        self.look = look
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        host = Identifier(String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    /// The user at the other end, nil when the operating system does not tell; and the number of the socket.
    static func peer(of channel: any Channel) -> (uid: uid_t?, descriptor: Int) {
        let peer = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable {
            (socket: CInt) -> (uid: uid_t?, descriptor: Int) in
            var (pid, uid, gid) = (pid_t(), uid_t(), gid_t())
            let isTold = clinux_peer_credentials(socket, &pid, &uid, &gid) == 0
            return (isTold ? uid : nil, Int(socket))
        }
        return (peer ?? nil) ?? (nil, 0)
    }

    /// The caller, if the user's name is known without asking.
    func knownCaller(_ uid: uid_t) -> Caller? {
        state.withLock { $0.names[uid] }.map { caller(uid, $0) }
    }

    /// The caller; without a name when the user database does not tell it in time.
    func caller(_ uid: uid_t, on eventLoop: any EventLoop) -> EventLoopFuture<Caller> {
        let promise = eventLoop.makePromise(of: Identifier?.self)
        let isAsked = state.withLock { state in
            if let name = state.names[uid] {
                promise.succeed(name)
                return true
            }
            defer { state.waiting[uid, default: []].append(promise) }
            return state.waiting[uid] != nil
        }
        if !isAsked { queue.async { [self] in answer(uid, look(uid)) } }
        let late = eventLoop.scheduleTask(in: Self.patience) { self.giveUp(promise, uid) }
        return promise.futureResult.map { [self] name in
            late.cancel()
            return caller(uid, name)
        }
    }

    private func answer(_ uid: uid_t, _ name: Identifier?) {
        let waiting = state.withLock { state in
            // Users come and go; a server that runs for years must not remember all of them.
            if state.names.count >= 1024 { state.names.removeAll() }
            state.names[uid] = .some(name)
            return state.waiting.removeValue(forKey: uid) ?? []
        }
        for promise in waiting { promise.succeed(name) }
    }

    private func giveUp(_ promise: EventLoopPromise<Identifier?>, _ uid: uid_t) {
        let isWaiting = state.withLock { state in
            guard let index = state.waiting[uid]?.firstIndex(where: { $0.futureResult === promise.futureResult }) else {
                return false
            }
            // The question stands: whoever comes next waits for the same answer.
            state.waiting[uid]?.remove(at: index)
            return true
        }
        if isWaiting { promise.succeed(nil) }
    }

    private func caller(_ uid: uid_t, _ name: Identifier?) -> Caller { Caller(user: name, uid: Int(uid), host: host) }

    /// A caller whose user is not known.
    var anonymous: Caller { Caller(user: nil, uid: nil, host: host) }

    static func userName(_ uid: uid_t) -> Identifier? {
        var name = [CChar](repeating: 0, count: 1024)
        guard clinux_user_name(uid, &name, name.count) == 0 else { return nil }
        return Identifier(String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
}
