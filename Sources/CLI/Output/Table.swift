/// Rows under headings, each column as wide as its widest cell.
struct Table {
    private let rows: [[String]]

    init(_ headings: [String], _ rows: [[String]]) {
        self.rows = [headings] + rows
    }

    /// Lines, each with its line feed; no blanks at their ends.
    ///
    /// - Parameter width: the terminal's columns: longer lines are cut, with `…` at their ends; nil cuts nothing.
    func text(width: Int? = nil) -> String {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == columns - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
            }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return Self.cut(line, width) + "\n"
        }.joined()
    }

    private static func cut(_ line: String, _ width: Int?) -> String {
        guard let width, width > 1, line.unicodeScalars.count > width else { return line }
        var kept = String(String.UnicodeScalarView(line.unicodeScalars.prefix(width - 1)))
        while kept.hasSuffix(" ") { kept.removeLast() }
        return kept + "…"
    }
}
