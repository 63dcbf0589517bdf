internal import BenchmarkSupport
internal import Glibc
internal import GroupSPI

/// A client that costs next to nothing: one socket, calls that block. It belongs to one thread at a time.
final class Client {
    private let descriptor: Int32
    private let dialect: Dialect
    private var buffer = [UInt8](repeating: 0, count: 65536)

    /// - Throws: when nobody listens there.
    init(_ path: String, _ dialect: Dialect) throws {
        self.dialect = dialect
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw BenchmarkError("socket: \(String(cString: strerror(errno)))") }
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard Self.connect(descriptor, path) else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw BenchmarkError("\(path): \(reason)")
        }
    }

    deinit { close(descriptor) }

    private static func connect(_ descriptor: Int32, _ path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            bytes.copyBytes(from: path.utf8.prefix(bytes.count - 1))
        }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    // MARK: - Calls

    /// Commits a group.
    func commit(_ spec: GroupSpec) throws {
        let text = String(decoding: spec.json.raw.bytes, as: UTF8.self)
        let answer = try call(dialect.request("Group.CommitGroup", #"{"Spec":\#(text),"Pretend":false}"#))
        guard answer.contains(#""Details""#) else {
            throw BenchmarkError("a commit was answered: \(answer.prefix(400))")
        }
    }

    /// Asks what is watched.
    ///
    /// - Returns: whether a leader has answered.
    func inspect() throws -> Bool {
        let answer = try call(dialect.inspect)
        guard answer.contains(#""Groups""#) else {
            throw BenchmarkError("InspectGroups was answered: \(answer.prefix(400))")
        }
        return !answer.contains(#""Stored""#)
    }

    /// - Returns: the answer as text.
    private func call(_ request: [UInt8]) throws -> String {
        String(decoding: buffer[..<(try exchange(request))], as: UTF8.self)
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// - Returns: how many bytes it has.
    @discardableResult
    func exchange(_ request: [UInt8]) throws -> Int {
        try send(request)
        var length = 0
        while true {
            if length == buffer.count { buffer += [UInt8](repeating: 0, count: length) }
            let room = buffer.count - length
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress.map { $0 + length }, room, 0) }
            guard count > 0 else {
                throw BenchmarkError(
                    count == 0 ? "the server has hung up" : "recv: \(String(cString: strerror(errno)))"
                )
            }
            length += count
            if isComplete(length) { return length }
        }
    }

    private func send(_ request: [UInt8]) throws {
        var sent = 0
        while sent < request.count {
            let count = request.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, request.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw BenchmarkError("send: \(String(cString: strerror(errno)))") }
            sent += count
        }
    }

    /// An answer of the stream ends with a line feed; one of HTTP says how long it is.
    private func isComplete(_ length: Int) -> Bool {
        switch dialect {
        case .stream: return buffer[length - 1] == UInt8(ascii: "\n")
        case .http:
            guard let header = buffer[..<length].firstRange(of: Array("\r\n\r\n".utf8)) else { return false }
            let name = Array("\r\ncontent-length: ".utf8)
            guard let found = Self.range(of: name, in: buffer[..<header.upperBound]) else { return false }
            let digits = buffer[found...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            let body = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            return length >= header.upperBound + body
        }
    }

    /// Where the text after a name begins, whatever the case of its letters.
    private static func range(of name: [UInt8], in header: ArraySlice<UInt8>) -> Int? {
        (header.startIndex..<max(header.startIndex, header.endIndex - name.count)).first { start in
            zip(header[start...], name).allSatisfy { $0 | 0x20 == $1 | 0x20 }
        }.map { $0 + name.count }
    }
}
