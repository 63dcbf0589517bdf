import Glibc
import TestFiles

/// The inputs that are checked in, in a folder for each target.
enum Corpus {
    private static let folder =
        "\(#filePath)".split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Corpus"

    /// Their paths.
    static func files(_ target: String) throws -> [String] {
        let path = "\(folder)/\(target)"
        let directory = try require(opendir(path), "no folder \(path)")
        defer { closedir(directory) }
        var files: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { files.append("\(path)/\(name)") }
        }
        return files.sorted()
    }

    static func read(_ path: String) throws -> [UInt8] {
        try require(TestFiles.bytes(of: path), "no file \(path)")
    }
}
