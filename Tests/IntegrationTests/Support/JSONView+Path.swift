import GroupSPI

extension JSONView {
    /// The value at a path of member names.
    func at(_ path: String...) -> JSONView? {
        path.reduce(Optional(self)) { view, name in view?.member(name) }
    }

    var names: [String] { members.map(\.name.text) }
    var strings: [String] { elements.compactMap(\.string) }
    var ints: [Int] { elements.compactMap(\.int) }
}

extension Finished {
    /// Its standard output, parsed.
    func json() throws -> JSONView {
        do {
            return try JSONView(Array(output.utf8))
        } catch {
            throw Trouble("no JSON: \(error)\n\(self)")
        }
    }
}
