internal import Glibc

/// Calls `body` with the address of a Unix socket.
///
/// - Precondition: the path fits: ``SocketPath`` has checked it, or it is one of the short ones below `/proc/self/fd`.
func withUnixAddress<Result>(
    _ path: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { room in
        room.copyBytes(from: path.utf8.prefix(room.count - 1))
    }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// Whether somebody answers on a socket file.
enum SocketLife: Equatable {
    case absent, dead, alive
    /// It cannot be told: not permitted, or of another kind.
    case unclear(errno: Int32)

    init(probing path: String) {
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard probe >= 0 else {
            self = .unclear(errno: errno)
            return
        }
        defer { close(probe) }
        let (result, error) = withUnixAddress(path) { (connect(probe, $0, $1), errno) }
        self =
            switch (result, error) {
            case (0, _), (_, EAGAIN), (_, EINPROGRESS): .alive
            case (_, ENOENT): .absent
            case (_, ECONNREFUSED): .dead
            default: .unclear(errno: error)
            }
    }
}
