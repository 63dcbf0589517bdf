import Glibc
import Synchronization

/// The service manager's end of the notification socket: remembers what it was sent, and by whom.
final class NotificationReceiver: Sendable {
    /// One datagram.
    struct Notification: Sendable {
        let assignments: [String]
        let pid: pid_t

        func value(_ name: String) -> String? {
            assignments.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
        }
    }

    private let descriptor: Int32
    private let received = Mutex<[Notification]>([])

    /// - Parameter name: as in `NOTIFY_SOCKET`.
    init(_ name: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw Trouble("socket: \(String(cString: strerror(errno)))") }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &one, 4)
        let isAbstract = name.hasPrefix("@")
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = isAbstract ? [0] + name.utf8.dropFirst() : Array(name.utf8) + [0]
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw Trouble("bind \(name): \(reason)")
        }
    }

    deinit { close(descriptor) }

    /// Everything so far, oldest first.
    var all: [Notification] {
        received.withLock { received in
            while let next = receive() { received.append(next) }
            return received
        }
    }

    var assignments: [String] { all.flatMap(\.assignments) }

    func count(of assignment: String) -> Int { assignments.count { $0 == assignment } }

    private func receive() -> Notification? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var control = [UInt64](repeating: 0, count: 16)
        var pid: pid_t = 0
        let count = bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    let count = recvmsg(descriptor, &message, Int32(MSG_DONTWAIT))
                    // The sender's credentials lie behind the header of the one control message.
                    if count > 0 { pid = control.load(fromByteOffset: MemoryLayout<cmsghdr>.size, as: pid_t.self) }
                    return count
                }
            }
        }
        guard count > 0 else { return nil }
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        return Notification(assignments: text.split(separator: "\n").map(String.init), pid: pid)
    }
}
