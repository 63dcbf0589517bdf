/// Rows under headings, each column as wide as its widest cell.
struct Table {
    private let rows: [[String]]
    /// The columns that become narrower when a line would not fit, the first of them first.
    private let elastic: [Int]

    init(_ headings: [String], _ rows: [[String]], elastic: [Int] = []) {
        self.rows = [headings] + rows
        self.elastic = elastic
    }

    /// Lines, each with its line feed; no blanks at their ends.
    ///
    /// - Parameter width: the terminal's columns: longer lines are cut, with `…` at their ends; nil cuts nothing.
    func text(width: Int? = nil) -> String {
        let columns = rows.first?.count ?? 0
        let widths = widths(columns, within: width)
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let cell = column == columns - 1 ? cell : Self.cut(cell, widths[column])
                return column == columns - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
            }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return Self.cut(line, width) + "\n"
        }.joined()
    }

    /// The last column keeps room for some words, if others can give it.
    private func widths(_ columns: Int, within width: Int?) -> [Int] {
        var widths = (0..<columns).map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        guard let width, let last = widths.last else { return widths }
        let wanted = widths.dropLast().reduce(2 * (columns - 1), +) + min(last, 20)
        var excess = wanted - width
        for column in elastic where excess > 0 {
            let heading = rows.first?[column].unicodeScalars.count ?? 0
            let given = min(excess, max(0, widths[column] - max(heading, 8)))
            widths[column] -= given
            excess -= given
        }
        return widths
    }

    private static func cut(_ line: String, _ width: Int?) -> String {
        guard let width, width > 1, line.unicodeScalars.count > width else { return line }
        var kept = String(String.UnicodeScalarView(line.unicodeScalars.prefix(width - 1)))
        while kept.hasSuffix(" ") { kept.removeLast() }
        return kept + "…"
    }
}
