internal import GroupSPI

/// Writes a list as its elements come, in the layout of ``JSON/indented``, or each on a line of its own.
struct JSONStream {
    let isArray: Bool
    let write: @Sendable (String) -> Void
    private var isEmpty = true

    init(isArray: Bool, write: @escaping @Sendable (String) -> Void) {
        self.isArray = isArray
        self.write = write
    }

    mutating func append(_ element: JSON) {
        guard isArray else { return write(element.raw.text + "\n") }
        let lines = element.indented.split(separator: "\n", omittingEmptySubsequences: false)
        write((isEmpty ? "[\n" : ",\n") + lines.map { "  \($0)" }.joined(separator: "\n"))
        isEmpty = false
    }

    func end() {
        if isArray { write(isEmpty ? "[]\n" : "\n]\n") }
    }
}
