internal import GroupSPI
internal import Terminal

/// Writes a list as its elements come, in the layout of ``JSON/indented``, or each on a line of its own.
struct JSONStream {
    let isArray: Bool
    let write: @Sendable (TerminalText) throws -> Void
    private var isEmpty = true

    init(isArray: Bool, write: @escaping @Sendable (TerminalText) throws -> Void) {
        self.isArray = isArray
        self.write = write
    }

    mutating func append(_ element: JSON) throws {
        guard isArray else { return try write(TerminalText(exact: element.raw.text + "\n")) }
        let lines = element.indented.split(separator: "\n", omittingEmptySubsequences: false)
        try write(TerminalText(exact: (isEmpty ? "[\n" : ",\n") + lines.map { "  \($0)" }.joined(separator: "\n")))
        isEmpty = false
    }

    func end() throws {
        if isArray { try write(isEmpty ? "[]\n" : "\n]\n") }
    }
}
