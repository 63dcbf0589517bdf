import GroupSPI

extension JSONPath: CustomStringConvertible {
    /// The path as people write it: `Allocation.Size`, `Instances[2].Name`, `Labels["a.b"]`; `.` for the root.
    ///
    /// Only names of ASCII letters, digits, `_` and `-` stand bare. No control character comes out as it is.
    public var description: String {
        let components = components
        guard !components.isEmpty else { return "." }
        var output: [UInt8] = []
        for component in components {
            switch component {
            case .index(let index):
                output.append(contentsOf: "[\(index)]".utf8)
            case .name(let name) where !name.isEmpty && name.utf8.allSatisfy(Self.isPlain):
                if !output.isEmpty { output.append(UInt8(ascii: ".")) }
                output.append(contentsOf: name.utf8)
            case .name(let name):
                output.append(UInt8(ascii: "["))
                TerminalJSON.append(JSON.string(name).bytes, to: &output)
                output.append(UInt8(ascii: "]"))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Reads what ``description`` writes.
    ///
    /// - Throws: ``JSONPathError`` at the first byte that does not fit.
    public init(parsing text: String) throws(JSONPathError) {
        var parser = JSONPathParser(text)
        self = try parser.parse()
    }

    /// Whether a byte may stand in a name without quotation marks.
    static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
