import GroupSPI

/// A document over lines: two spaces a level, numbers and strings as they were written.
///
/// Indentation is kept as a number. Written out, 16 MiB of text at depth 512 would be gigabytes.
struct TextLayout {
    struct Line {
        /// Where the line is in the text, without its indentation.
        let range: Range<Int>
        let depth: Int
        /// The innermost object or array around the line; for a line that opens or closes one, what that is in.
        let container: JSONPath
    }

    private var text: [UInt8] = []
    private(set) var lines: [Line] = []

    /// The text of a line without its indentation.
    func content(_ line: Int) -> ArraySlice<UInt8> { text[lines[line].range] }

    mutating func append(_ bytes: some Collection<UInt8>) { text.append(contentsOf: bytes) }

    mutating func append(_ byte: UInt8) { text.append(byte) }

    mutating func endLine(depth: Int, container: JSONPath) {
        let start = lines.last?.range.upperBound ?? 0
        lines.append(Line(range: start..<text.count, depth: depth, container: container))
    }
}
