/// Rows under headings, each column as wide as its widest cell.
struct Table {
    private let rows: [[String]]

    init(_ headings: [String], _ rows: [[String]]) {
        self.rows = [headings] + rows
    }

    /// Lines, each with its line feed; no blanks at their ends.
    var text: String {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == columns - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
            }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
