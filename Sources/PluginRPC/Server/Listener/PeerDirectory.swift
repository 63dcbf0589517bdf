internal import CLinux
internal import Glibc
internal import GroupSPI
internal import NIOCore
internal import Synchronization

/// Who is at the other end of an accepted socket.
final class PeerDirectory: Sendable {
    private let host: Identifier
    /// Users' names by number. The user database may be a slow network service, and asking it once is enough.
    private let names = Mutex<[uid_t: Identifier?]>([:])

    init() {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        host = Identifier(String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    /// The user at the other end; nil when the operating system does not tell.
    static func uid(of channel: any Channel) -> uid_t? {
        let uid = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable { (socket: CInt) -> uid_t? in
            var (pid, uid, gid) = (pid_t(), uid_t(), gid_t())
            guard clinux_peer_credentials(socket, &pid, &uid, &gid) == 0 else { return nil }
            return uid
        }
        return uid ?? nil
    }

    /// The caller, if the user's name is known without asking.
    func knownCaller(_ uid: uid_t) -> Caller? {
        names.withLock { $0[uid] }.map { Caller(user: $0, uid: Int(uid), host: host) }
    }

    /// The caller. Asks the user database and may block: not for an event loop.
    func caller(_ uid: uid_t) -> Caller {
        if let caller = knownCaller(uid) { return caller }
        let name = Self.userName(uid)
        names.withLock { names in
            // Users come and go; a server that runs for years must not remember all of them.
            if names.count >= 1024 { names.removeAll() }
            names[uid] = .some(name)
        }
        return Caller(user: name, uid: Int(uid), host: host)
    }

    /// A caller whose user is not known.
    var anonymous: Caller { Caller(user: nil, uid: nil, host: host) }

    private static func userName(_ uid: uid_t) -> Identifier? {
        var name = [CChar](repeating: 0, count: 1024)
        guard clinux_user_name(uid, &name, name.count) == 0 else { return nil }
        return Identifier(String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
}
