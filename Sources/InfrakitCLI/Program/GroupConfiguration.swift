internal import GroupSPI

/// A group's configuration as the user names it: a path, a `file://` URL, or `-` for standard input.
struct GroupConfiguration {
    private let argument: String

    init(_ argument: String) {
        self.argument = argument
    }

    private var path: String {
        argument.hasPrefix("file://") ? String(argument.dropFirst("file://".count)) : argument
    }

    /// Reads it; the text of its `Properties` is kept byte for byte.
    ///
    /// - Throws: ``Failure`` with the file, the line and the reason.
    func read(in session: Session) throws(Failure) -> GroupSpec {
        let isStandardInput = argument == "-"
        let name = isStandardInput ? "standard input" : path
        let bytes = (isStandardInput ? try session.standardInput() : try FileReader.read(path: path))
            .withoutByteOrderMark
        do {
            return try GroupSpec(try JSONView(bytes))
        } catch let error as JSONError {
            let (line, column) = Self.position(of: error.offset, in: bytes)
            throw .fatal("\(name): line \(line), column \(column) (byte \(error.offset)): \(error.message)")
        } catch {
            throw .fatal("\(name): \(error)")
        }
    }

    /// Both counted from 1; columns in bytes.
    static func position(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes.prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return (line, before.count - start + 1)
    }
}
