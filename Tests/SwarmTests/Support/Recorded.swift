import TestFiles
import Testing

/// Answers of a real Engine 20.10, recorded in a swarm of three managers and a worker; join tokens are blanked.
///
/// A file is a line with the HTTP status, and then the body.
struct Recorded: Sendable {
    let status: Int
    let body: [UInt8]

    init(_ name: String) throws {
        let bytes = try Self.file("\(name).http")
        let end = try #require(bytes.firstIndex(of: 0x0A), "\(name) has no status")
        status = try #require(Int(String(decoding: bytes[..<end], as: UTF8.self)))
        body = Array(bytes[(end + 1)...])
    }

    static let folder = "\(#filePath)".split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Vectors"

    static func file(_ name: String) throws -> [UInt8] {
        guard let bytes = TestFiles.bytes(of: "\(folder)/\(name)") else {
            throw NeverCame(description: "no vector \(name)")
        }
        return bytes
    }

    static func text(_ name: String) throws -> String { String(decoding: try file(name), as: UTF8.self) }
}
