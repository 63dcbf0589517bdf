import GroupSPI

/// Reads checked text into the nodes of a ``JSONTree``, with a stack of its own.
struct JSONTreeReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0
    private(set) var nodes: [JSONTree.Node] = []
    /// The containers that are open, from the outermost.
    private var open: [Int] = []
    private let depth: ComparisonDepth

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ depth: ComparisonDepth) {
        self.bytes = bytes
        self.depth = depth
    }

    mutating func read(numberingBy values: inout ValueTable) {
        var name: (start: Int, id: ValueTable.ID)?
        while index < bytes.count {
            let start = index
            switch bytes[index] {
            case 0x20, 0x0A, 0x0D, 0x09, UInt8(ascii: ","), UInt8(ascii: ":"):
                index += 1
                continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                index += 1
                close(numberingBy: &values)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if open.count == depth.limit, skipIfTooLarge() {
                    append(start, name, values.id(scalar: wholeKey(start..<index)))
                    nodes[nodes.count - 1].isWhole = true
                    break
                }
                index += 1
                open.append(nodes.count)
                append(start, name)
            case UInt8(ascii: "\""):
                skipString()
                let id = values.id(scalar: stringKey(start..<index))
                if name == nil, let container = open.last, isObject(container) {
                    name = (start, id)
                    continue
                }
                append(start, name, id)
            default:
                skipScalar()
                append(start, name, values.id(scalar: scalarKey(start..<index)))
            }
            name = nil
        }
    }

    private func isObject(_ node: Int) -> Bool { bytes[Int(nodes[node].start)] == UInt8(ascii: "{") }

    /// Appends a scalar, or a container whose end and number follow when it is closed.
    private mutating func append(_ start: Int, _ name: (start: Int, id: ValueTable.ID)?, _ id: ValueTable.ID = 0) {
        var node = JSONTree.Node(start: UInt32(start), end: UInt32(index), next: UInt32(nodes.count + 1), id: id)
        if let name {
            node.nameStart = UInt32(name.start)
            node.nameID = name.id
        }
        nodes.append(node)
    }

    private mutating func close(numberingBy values: inout ValueTable) {
        guard let container = open.popLast() else { return }
        var children: [Int] = []
        var child = container + 1
        while child < nodes.count {
            children.append(child)
            child = Int(nodes[child].next)
        }
        nodes[container].end = UInt32(index)
        nodes[container].next = UInt32(nodes.count)
        nodes[container].id = values.id(
            container: isObject(container) ? objectKey(children) : [0] + children.map { nodes[$0].id }
        )
    }

    /// Names and values by the number of the name, so that the order does not count; marks what does not count at all.
    private mutating func objectKey(_ children: [Int]) -> [ValueTable.ID] {
        let sorted = children.sorted { (nodes[$0].nameID, $0) < (nodes[$1].nameID, $1) }
        var key: [ValueTable.ID] = [1]
        for (position, child) in sorted.enumerated() {
            if position + 1 < sorted.count, nodes[sorted[position + 1]].nameID == nodes[child].nameID {
                nodes[child].isOverridden = true
                continue
            }
            key.append(nodes[child].nameID)
            key.append(nodes[child].id)
        }
        return key
    }

    private func stringKey(_ range: Range<Int>) -> [UInt8] {
        let content = bytes[(range.lowerBound + 1)..<(range.upperBound - 1)]
        var key: [UInt8] = [UInt8(ascii: "\"")]
        if content.contains(UInt8(ascii: "\\")) {
            let decoded = JSONView(RawJSON(checked: Array(bytes[range]))).string ?? ""
            key.append(contentsOf: decoded.utf8)
        } else {
            key.append(contentsOf: content)
        }
        return key
    }

    private func scalarKey(_ range: Range<Int>) -> [UInt8] {
        let text = bytes[range]
        switch bytes[range.lowerBound] {
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): return Array(text)
        default:
            var key: [UInt8] = []
            DecimalValue.append(text, to: &key)
            return key
        }
    }

    /// An object or array as it is written, but for white space; no scalar begins with its first byte.
    private func wholeKey(_ range: Range<Int>) -> [UInt8] {
        var key: [UInt8] = []
        var start = range.lowerBound
        var position = start
        while position < range.upperBound {
            switch bytes[position] {
            case UInt8(ascii: "\""): Self.skipString(bytes, &position)
            case 0x20, 0x0A, 0x0D, 0x09:
                key.append(contentsOf: bytes[start..<position])
                start = position + 1
            default: break
            }
            position += 1
        }
        key.append(contentsOf: bytes[start..<range.upperBound])
        return key
    }

    // MARK: - Moving over checked text

    private mutating func skipString() {
        Self.skipString(bytes, &index)
        index = min(index + 1, bytes.count)
    }

    /// From a quotation mark to the one that ends the string.
    static func skipString(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) {
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
    }

    /// Moves behind an object or array that is to be compared as a whole.
    private mutating func skipIfTooLarge() -> Bool {
        var end = index
        guard ComparisonDepth.skip(bytes, &end) > depth.largest else { return false }
        index = end
        return true
    }

    private mutating func skipScalar() {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x0A, 0x0D, 0x09: return
            default: index += 1
            }
        }
    }
}
