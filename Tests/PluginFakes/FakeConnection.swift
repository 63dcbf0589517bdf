import Foundation
import GroupSPI

/// One connection to a fake plugin, with a thread that reads it.
final class FakeConnection: Sendable {
    private let descriptor: Int32
    private let plugin: FakePlugin

    init(descriptor: Int32, plugin: FakePlugin) {
        self.descriptor = descriptor
        self.plugin = plugin
    }

    func start() {
        Thread.detachNewThread {
            switch self.plugin.apiVersion.wireProtocol {
            case .stream: self.readStream()
            case .http: self.readHTTP()
            }
            self.hangUp()
            self.plugin.ended(self)
        }
    }

    deinit {
        // Not before: whoever can still write holds a reference, and would write into another one's descriptor.
        close(descriptor)
    }

    /// Wakes the reading thread.
    func hangUp() {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    // MARK: - Reading

    private func read(into buffer: inout [UInt8]) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = Glibc.read(descriptor, &chunk, chunk.count)
        guard count > 0 else { return false }
        buffer += chunk[..<count]
        return true
    }

    private func readStream() {
        var buffer: [UInt8] = []
        while true {
            while let first = buffer.first, first == 0x20 || first == 0x0A { buffer.removeFirst() }
            if let first = buffer.first, first != UInt8(ascii: "{") { return }
            if let end = Self.endOfObject(buffer) {
                let text = Array(buffer[..<end])
                buffer.removeFirst(end)
                guard serve(text) else { return }
            } else if !read(into: &buffer) {
                return
            }
        }
    }

    private static func endOfObject(_ bytes: [UInt8]) -> Int? {
        var depth = 0
        var inString = false
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\") where inString: index += 1
            case UInt8(ascii: "\""): inString.toggle()
            case UInt8(ascii: "{") where !inString: depth += 1
            case UInt8(ascii: "}") where !inString:
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return nil
    }

    private func readHTTP() {
        var buffer: [UInt8] = []
        while true {
            while buffer.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
                // Go answers at the first line that is no request line.
                if let first = buffer.first, first != UInt8(ascii: "P") {
                    write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request")
                    return
                }
                guard read(into: &buffer) else { return }
            }
            guard let gap = buffer.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            let head = String(decoding: buffer[..<gap.lowerBound], as: UTF8.self).lowercased()
            guard head.contains("\r\nhost:") else {
                write("HTTP/1.1 400 Bad Request: missing required Host header\r\nConnection: close\r\n\r\n")
                return
            }
            let header = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            let length = header.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
            while buffer.count < gap.upperBound + length { guard read(into: &buffer) else { return } }
            let body = Array(buffer[gap.upperBound..<(gap.upperBound + length)])
            buffer.removeFirst(gap.upperBound + length)
            guard head.contains("\r\ncontent-type: application/json") else {
                write("HTTP/1.1 415 Unsupported Media Type\r\nContent-Length: 0\r\n\r\n")
                continue
            }
            guard serve(body) else { return }
        }
    }

    // MARK: - Answering

    /// False when the connection is to be closed.
    private func serve(_ text: [UInt8]) -> Bool {
        guard let view = try? JSONView(text), let method = view.member("method")?.string else { return false }
        let params = view.member("params")
        let request = FakeRequest(
            method: method,
            params: (params?.elements.first ?? params)?.raw ?? .null,
            id: view.member("id")?.raw ?? .null
        )
        switch plugin.answer(request) {
        case .result(let result): reply(request, result: result)
        case .error(let message): reply(request, error: message)
        case .hold(let result): plugin.hold { self.reply(request, result: result) }
        case .silence: break
        case .hangUp: return false
        case .raw(let text): write(text)
        case .rawAndHangUp(let text):
            write(text)
            return false
        case .endless(let start, let more):
            write(start)
            while write(more) {}
            return false
        }
        return true
    }

    private func reply(_ request: FakeRequest, result: String) {
        switch plugin.apiVersion.wireProtocol {
        case .stream: write("{\"id\":\(request.id),\"result\":\(result),\"error\":null}\n")
        case .http: writeHTTP("{\"jsonrpc\":\"2.0\",\"result\":\(result),\"id\":\(request.id)}\n")
        }
    }

    private func reply(_ request: FakeRequest, error: String) {
        let message = JSON.string(error).raw
        switch plugin.apiVersion.wireProtocol {
        case .stream:
            write("{\"id\":\(request.id),\"result\":null,\"error\":\(message)}\n")
        case .http:
            writeHTTP(
                "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\(message),\"data\":null},"
                    + "\"id\":\(request.id)}\n"
            )
        }
    }

    private func writeHTTP(_ body: String) {
        write(
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                + body
        )
    }

    @discardableResult
    private func write(_ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            bytes.removeFirst(count)
        }
        return true
    }
}
