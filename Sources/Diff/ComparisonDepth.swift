/// How far two documents are compared value by value: to the end, unless that takes too much memory.
///
/// Each value costs some hundred bytes, whatever it is; 16 MiB can hold eight million of them. Down to one level all values are
/// looked at. Of the objects and arrays at that level, the largest are compared as a whole: as they are written, but for
/// white space.
struct ComparisonDepth {
    /// The level at which an object or array may be too large to be looked into; the root is at level 0. `Int.max` when
    /// there is none.
    let limit: Int
    /// The most values that one at that level may have, itself not counted.
    let largest: Int

    var isLimited: Bool { limit < .max }

    init(_ documents: [ArraySlice<UInt8>], mostValues: Int) {
        // A value has a byte, and something between it and the next one.
        guard documents.reduce(0, { $0 + $1.count / 2 + 1 }) > mostValues else {
            (limit, largest) = (.max, .max)
            return
        }
        var counts: [Int] = []
        for document in documents {
            Self.walk(document) { depth in
                while counts.count <= depth { counts.append(0) }
                counts[depth] += 1
            }
        }
        var total = 0
        let level = counts.firstIndex { count in
            total += count
            return total > mostValues
        }
        guard let excess = level else {
            (limit, largest) = (.max, .max)
            return
        }
        limit = max(0, excess - 1)
        var room = excess == 0 ? 0 : mostValues - (total - counts[excess])
        var fitting = 0
        // Equal ones have equal sizes: all that have one size are looked into, or none.
        for (size, number) in Self.sizes(documents, at: limit).sorted(by: { $0.key < $1.key }) {
            room -= size * number
            guard room >= 0 else { break }
            fitting = size
        }
        largest = excess == 0 ? -1 : fitting
    }

    /// How many values there are in two documents, or a few more.
    static func count(_ documents: [ArraySlice<UInt8>]) -> Int {
        var count = 0
        for document in documents { walk(document) { _ in count += 1 } }
        return count
    }

    /// How many objects and arrays of each size there are at a level.
    private static func sizes(_ documents: [ArraySlice<UInt8>], at level: Int) -> [Int: Int] {
        var sizes: [Int: Int] = [:]
        for document in documents {
            document.withUnsafeBufferPointer { bytes in
                var depth = 0
                var index = 0
                while index < bytes.count {
                    switch bytes[index] {
                    case UInt8(ascii: "{"), UInt8(ascii: "["):
                        guard depth == level else {
                            depth += 1
                            break
                        }
                        sizes[skip(bytes, &index), default: 0] += 1
                        continue
                    case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                    case UInt8(ascii: "\""): JSONTreeReader.skipString(bytes, &index)
                    default: break
                    }
                    index += 1
                }
            }
        }
        return sizes
    }

    /// Moves from the first byte of an object or array behind its last one.
    ///
    /// - Returns: how many values are in it; one of an empty one.
    static func skip(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Int {
        var count = 0
        var depth = 0
        repeat {
            switch bytes[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                count += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): count += 1
            case UInt8(ascii: "\""): JSONTreeReader.skipString(bytes, &index)
            default: break
            }
            index += 1
        } while depth > 0 && index < bytes.count
        return count
    }

    /// Calls for each value with its level; an empty object or array counts as one with a value.
    private static func walk(_ text: ArraySlice<UInt8>, _ found: (Int) -> Void) {
        found(0)
        text.withUnsafeBufferPointer { bytes in
            var depth = 0
            var index = 0
            while index < bytes.count {
                switch bytes[index] {
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    found(depth)
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                case UInt8(ascii: ","): found(depth)
                case UInt8(ascii: "\""): JSONTreeReader.skipString(bytes, &index)
                default: break
                }
                index += 1
            }
        }
    }
}
