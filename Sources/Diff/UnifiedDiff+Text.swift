extension UnifiedDiff {
    /// The differences as text, every line ended; empty when there are none.
    ///
    ///     --- revision 12
    ///     +++ revision 15
    ///     @@ -2,3 +2,3 @@ Allocation
    ///
    /// What follows the second `@@` is the path of the innermost object or array around the first line that differs. No
    /// control character of the documents or the labels comes out as it is.
    ///
    /// - Parameters:
    ///   - before: what to call the earlier document.
    ///   - after: what to call the later document.
    ///   - isColoured: whether to colour the lines for a terminal (ANSI): red, green, and cyan for what starts with `@@`.
    public func text(before: String, after: String, isColoured: Bool = false) -> String {
        guard !hunks.isEmpty else { return "" }
        var output: [UInt8] = []
        func append(_ colour: String?, _ write: (inout [UInt8]) -> Void) {
            let colour = isColoured ? colour : nil
            if let colour { output.append(contentsOf: "\u{1B}[\(colour)m".utf8) }
            write(&output)
            if colour != nil { output.append(contentsOf: "\u{1B}[0m".utf8) }
            output.append(UInt8(ascii: "\n"))
        }
        append(nil) { TerminalJSON.append("--- \(before)".utf8, to: &$0) }
        append(nil) { TerminalJSON.append("+++ \(after)".utf8, to: &$0) }
        for hunk in hunks {
            let ranges = "-\(Self.numbers(hunk.before)) +\(Self.numbers(hunk.after))"
            append("36") { $0.append(contentsOf: "@@ \(ranges) @@ \(hunk.path)".utf8) }
            for line in hunk.lines {
                let (mark, colour): (UInt8, String?) =
                    switch line.kind {
                    case .both: (UInt8(ascii: " "), nil)
                    case .before: (UInt8(ascii: "-"), "31")
                    case .after: (UInt8(ascii: "+"), "32")
                    }
                append(colour) { output in
                    output.append(mark)
                    output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * line.depth))
                    TerminalJSON.append(line.content, to: &output)
                }
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Line numbers as `diff` writes them: from one, a count of one left out, an empty range behind the line before it.
    private static func numbers(_ range: Range<Int>) -> String {
        switch range.count {
        case 0: "\(range.lowerBound),0"
        case 1: "\(range.lowerBound + 1)"
        default: "\(range.lowerBound + 1),\(range.count)"
        }
    }
}
