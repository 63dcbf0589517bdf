internal import BenchmarkSupport

/// What a scenario has found: paragraphs, tables and pictures, in the order in which they are to be read.
struct Report {
    enum Part {
        case text(String)
        case table(Table)
        case picture(Picture)
    }

    /// The name of its files.
    let name: String
    let title: String
    private(set) var parts: [Part] = []
    private(set) var missed: [Figure] = []

    init(_ name: String, _ title: String) {
        self.name = name
        self.title = title
    }

    mutating func add(_ text: String) { parts.append(.text(text)) }

    mutating func add(_ figures: [Figure]) {
        parts.append(.table(Table(figures)))
        missed += figures.filter { $0.isMet == false }
    }

    mutating func add(_ table: Table) { parts.append(.table(table)) }

    mutating func add(_ picture: Picture) { parts.append(.picture(picture)) }

    var markdown: String {
        "## \(title)\n"
            + parts.map { part in
                switch part {
                case .text(let text): "\n\(text)\n"
                case .table(let table): "\n\(table.markdown)"
                case .picture(let picture): "\n![\(picture.title)](\(fileName(picture)))\n"
                }
            }.joined()
    }

    /// Prints it, and writes it into a directory.
    func publish(in directory: String) throws {
        print(markdown)
        try Files.makeDirectory(directory)
        for case .picture(let picture) in parts { try picture.draw(to: "\(directory)/\(fileName(picture))") }
        try Files.write(markdown, to: "\(directory)/\(name).md")
        for figure in missed { Terminal.say("missed: \(figure.row.joined(separator: ", "))") }
    }

    private func fileName(_ picture: Picture) -> String { "\(name)-\(picture.name).svg" }
}
