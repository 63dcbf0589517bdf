/// How deep two documents are compared value by value: to the end, unless that takes too much memory.
///
/// Each value costs some hundred bytes, whatever it is; 16 MiB can hold eight million of them. Then whatever is deeper than
/// there is room for is compared as a whole, as it is written.
struct ComparisonDepth {
    /// In both documents together.
    static let mostValues = 1 << 20

    /// An object or array at this depth is not looked into; the root has depth 0. `Int.max` when all are.
    let limit: Int

    var isLimited: Bool { limit < .max }

    init(_ documents: [ArraySlice<UInt8>], mostValues: Int) {
        var counts: [Int] = []
        for document in documents { Self.count(document, &counts) }
        var total = 0
        let deepest = counts.firstIndex { count in
            total += count
            return total > mostValues
        }
        limit = deepest.map { max(0, $0 - 1) } ?? .max
    }

    /// Adds how many values there are at each depth, or a few more.
    private static func count(_ text: ArraySlice<UInt8>, _ counts: inout [Int]) {
        var depth = 0
        func add() {
            while counts.count <= depth { counts.append(0) }
            counts[depth] += 1
        }
        add()
        text.withUnsafeBufferPointer { bytes in
            var index = 0
            while index < bytes.count {
                switch bytes[index] {
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    add()
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                case UInt8(ascii: ","): add()
                case UInt8(ascii: "\""): JSONTreeReader.skipString(bytes, &index)
                default: break
                }
                index += 1
            }
        }
    }
}
