internal import Terminal

/// Rows under headings, each column as wide as its widest cell.
struct Table {
    private let rows: [[String]]
    /// The columns that become narrower when a line would not fit, the first of them first.
    private let elastic: [Int]
    /// No elastic column becomes narrower than this, or than its heading.
    private let narrowest: Int

    /// - Parameter rows: what a terminal would obey in them is shown as an escape.
    init(_ headings: [String], _ rows: [[String]], elastic: [Int] = [], narrowest: Int = 8) {
        self.rows = ([headings] + rows).map { $0.map(TerminalText.escaped) }
        self.elastic = elastic
        self.narrowest = narrowest
    }

    /// Lines, each with its line feed; no blanks at their ends.
    ///
    /// - Parameter width: the terminal's columns: longer lines are cut, with `…` at their ends; nil cuts nothing.
    func text(width: Int? = nil) -> TerminalText {
        let layout = layout(width: width)
        return rows.map(layout.line).joined()
    }

    /// How its lines are laid out, for lines that come later.
    func layout(width: Int?) -> Layout { Layout(widths: widths(within: width), width: width) }

    /// The last column keeps room for some words, if others can give it.
    private func widths(within width: Int?) -> [Int] {
        let headings = rows.first ?? []
        var widths = headings.indices.map { column in rows.map { $0[column].displayWidth }.max() ?? 0 }
        guard let width, let last = widths.last else { return widths }
        let wanted = widths.dropLast().reduce(2 * (widths.count - 1), +) + min(last, 20)
        var excess = wanted - width
        for column in elastic where excess > 0 {
            let given = min(excess, max(0, widths[column] - max(headings[column].displayWidth, narrowest)))
            widths[column] -= given
            excess -= given
        }
        return widths
    }

    /// The widths of a table's columns.
    struct Layout {
        fileprivate let widths: [Int]
        fileprivate let width: Int?

        /// One row, with its line feed. A cell that is too wide is cut, but for the last one, which ends with the line.
        func line(_ cells: [String]) -> TerminalText {
            var line = cells.enumerated().map { column, cell in
                let cell = TerminalText.escaped(cell)
                guard column < widths.count - 1 else { return cell }
                return cell.cut(toWidth: widths[column]).padded(toWidth: widths[column])
            }.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return TerminalText(exact: (width.map { line.cut(toWidth: $0) } ?? line) + "\n")
        }
    }
}
