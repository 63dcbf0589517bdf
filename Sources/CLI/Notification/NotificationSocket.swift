internal import Glibc

/// The service manager's datagram socket.
struct NotificationSocket: Hashable, Sendable {
    /// As `sockaddr_un.sun_path` holds it: a path and a zero, or a zero and an abstract name.
    private let address: [UInt8]

    /// - Parameter name: a full path, or `@` and an abstract name. Nil when it is neither, or too long.
    init?(_ name: String) {
        let bytes = Array(name.utf8)
        let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        switch bytes.first {
        case UInt8(ascii: "/"): address = bytes + [0]
        case UInt8(ascii: "@") where bytes.count > 1: address = [0] + bytes.dropFirst()
        default: return nil
        }
        guard address.count <= room else { return nil }
    }

    /// Sends one datagram, and never waits.
    ///
    /// - Returns: 0 or errno; `EAGAIN` when the service manager's queue is full.
    func send(_ text: String) -> Int32 {
        // A socket for each: what listens there may be another one each time.
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: address) }
        // An abstract name ends where the length says, not at a zero.
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2) + socklen_t(address.count)
        let message = Array(text.utf8)
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                while sendto(descriptor, message, message.count, flags, pointer, length) < 0 {
                    if errno != EINTR { return errno }
                }
                return 0
            }
        }
    }
}
