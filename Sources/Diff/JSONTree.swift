import GroupSPI
internal import GroupSPI

/// A document with its values numbered: every value is one node, a container before what is in it.
///
/// It is read in one pass; asking a ``JSONView`` level by level would read the deepest text once for each level.
struct JSONTree {
    /// One value. Offsets count from the start of the document; a text of 4 GiB is far above what is accepted.
    struct Node {
        let start: UInt32
        var end: UInt32 = 0
        /// The first node that is not inside this one.
        var next: UInt32 = 0
        /// Equal values have equal numbers.
        var id: ValueTable.ID = 0
        /// The number of the member's name as a string value; of no meaning for an element.
        var nameID: ValueTable.ID = 0
        /// Where the member's name starts, at its quotation mark.
        var nameStart: UInt32 = 0
        /// A later member of the same object has the same name.
        var isOverridden = false
        /// An object or array that is not looked into, and is compared as it is written.
        var isWhole = false
    }

    private let text: ArraySlice<UInt8>
    private let nodes: [Node]

    /// - Parameter values: numbers the values; two trees that are to be compared share one.
    init(_ document: JSONView, depth: ComparisonDepth, values: inout ValueTable) {
        text = document.bytes
        nodes = text.withUnsafeBufferPointer { bytes in
            var reader = JSONTreeReader(bytes, depth)
            reader.read(numberingBy: &values)
            return reader.nodes
        }
    }

    func id(_ node: Int) -> ValueTable.ID { nodes[node].id }

    func nameID(_ node: Int) -> ValueTable.ID { nodes[node].nameID }

    func isWhole(_ node: Int) -> Bool { nodes[node].isWhole }

    /// The first byte of the value: `{`, `[`, or another for a scalar.
    func firstByte(_ node: Int) -> UInt8 { text[text.startIndex + Int(nodes[node].start)] }

    /// The value as it is written.
    func bytes(_ node: Int) -> ArraySlice<UInt8> {
        text[(text.startIndex + Int(nodes[node].start))..<(text.startIndex + Int(nodes[node].end))]
    }

    /// The member's name as it is written, with its quotation marks.
    func nameBytes(_ node: Int) -> ArraySlice<UInt8> {
        let start = text.startIndex + Int(nodes[node].nameStart)
        var end = start + 1
        while end < text.endIndex, text[end] != UInt8(ascii: "\"") {
            end += text[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        return text[start..<(end + 1)]
    }

    /// The member's name, decoded.
    func name(_ node: Int) -> Identifier {
        JSONView(RawJSON(checked: Array(nameBytes(node)))).identifier ?? ""
    }

    /// The elements, or the members that count, of a container in their order.
    func children(_ node: Int) -> [Int] {
        var result: [Int] = []
        var child = node + 1
        let end = Int(nodes[node].next)
        while child < end {
            if !nodes[child].isOverridden { result.append(child) }
            child = Int(nodes[child].next)
        }
        return result
    }
}
