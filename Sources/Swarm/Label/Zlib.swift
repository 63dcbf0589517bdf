internal import CZlib

/// The zlib format (RFC 1950), in pieces, so that neither direction takes more memory than its limit.
enum Zlib {
    private static let piece = 64 * 1024

    /// - Throws: ``ZlibError`` `failed` when there is no memory.
    static func compress(_ bytes: [UInt8], level: Int32 = Z_DEFAULT_COMPRESSION) throws(ZlibError) -> [UInt8] {
        var stream = z_stream()
        guard czlib_deflate_init(&stream, level) == Z_OK else { throw .failed("no memory") }
        defer { deflateEnd(&stream) }
        return try run(&stream, over: bytes, limit: .max) { deflate($0, $1 ? Z_FINISH : Z_NO_FLUSH) }
    }

    /// - Parameter limit: the most that may come out, in bytes.
    /// - Throws: ``ZlibError``.
    static func decompress(_ bytes: [UInt8], limit: Int) throws(ZlibError) -> [UInt8] {
        var stream = z_stream()
        guard czlib_inflate_init(&stream) == Z_OK else { throw .failed("no memory") }
        defer { inflateEnd(&stream) }
        let output = try run(&stream, over: bytes, limit: limit) { stream, _ in inflate(stream, Z_NO_FLUSH) }
        guard Int(stream.total_in) == bytes.count else { throw .trailing }
        return output
    }

    /// - Parameter step: one call of zlib; told whether all input has been handed over.
    private static func run(
        _ stream: inout z_stream,
        over bytes: [UInt8],
        limit: Int,
        step: (UnsafeMutablePointer<z_stream>, Bool) -> Int32
    ) throws(ZlibError) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: piece)
        var consumed = 0
        while true {
            let end = min(consumed + piece, bytes.count)
            // zlib only reads there, although its type does not say so.
            var input = Array(bytes[consumed..<end])
            var code = Z_OK
            var used = 0
            var made = 0
            input.withUnsafeMutableBufferPointer { input in
                buffer.withUnsafeMutableBufferPointer { buffer in
                    stream.next_in = input.baseAddress
                    stream.avail_in = UInt32(input.count)
                    stream.next_out = buffer.baseAddress
                    stream.avail_out = UInt32(buffer.count)
                    code = step(&stream, end == bytes.count)
                    used = input.count - Int(stream.avail_in)
                    made = buffer.count - Int(stream.avail_out)
                }
            }
            consumed += used
            guard made <= limit - output.count else { throw .tooLarge(limit) }
            output.append(contentsOf: buffer[..<made])
            switch code {
            case Z_STREAM_END: return output
            // Without progress, or without input and room to spare: there is nothing more to come.
            case Z_OK where used > 0 || made > 0: continue
            case Z_OK, Z_BUF_ERROR: throw .truncated
            case Z_MEM_ERROR: throw .failed("no memory")
            default: throw .failed(stream.msg.map { String(cString: $0) } ?? "code \(code)")
            }
        }
    }
}

enum ZlibError: Error, Hashable {
    case truncated
    /// More bytes after the end.
    case trailing
    /// More than that many bytes come out.
    case tooLarge(Int)
    case failed(String)
}
