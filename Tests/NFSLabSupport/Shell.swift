internal import Dispatch
internal import Glibc

/// Command lines, each run on a thread of its own: many of them stay for long.
enum Shell {
    /// Runs a line to its end.
    ///
    /// - Parameter hear: given what it writes to standard output, line by line, each with its line feed.
    /// - Returns: its exit status; 128 and the signal's number when one ended it; 127 when it cannot be run.
    static func run(_ line: String, hear: @escaping (String) -> Void) async -> Int32 {
        // Called on that thread alone, and not after the return.
        nonisolated(unsafe) let hear = hear
        return await withCheckedContinuation { continuation in
            DispatchQueue(label: "nfs lab").async {
                continuation.resume(returning: run(line, hear))
            }
        }
    }

    private static func run(_ line: String, _ hear: (String) -> Void) -> Int32 {
        guard let pipe = popen(line, "re") else { return 127 }
        var text: UnsafeMutablePointer<CChar>?
        var capacity = 0
        while case let count = getline(&text, &capacity, pipe), count > 0, let start = text {
            start.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
                hear(String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self))
            }
        }
        free(text)
        let status = pclose(pipe)
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}
