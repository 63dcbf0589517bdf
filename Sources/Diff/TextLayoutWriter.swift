internal import CSHA256
import GroupSPI
internal import GroupSPI

/// Lays out two documents so that what is equal in both has the same lines.
struct TextLayoutWriter {
    /// A value to be written; the numbers are nodes.
    private enum Value {
        case before(Int)
        case after(Int)
        /// The later one, in the order of the earlier one.
        case both(Int, Int)
    }

    /// A value in its container.
    private struct Item {
        let value: Value
        /// Where the member's name is taken from.
        let name: Value
    }

    /// A container of which the line that opens it is written.
    private struct Frame {
        let items: [Item]
        var next = 0
        let isObject: Bool
        let isLast: Bool
        let path: JSONPath
    }

    private var comparison: Comparison
    private var layout = TextLayout()
    private var frames: [Frame] = []

    init(comparison: Comparison) {
        self.comparison = comparison
    }

    var isCoarse: Bool { comparison.isCoarse }

    mutating func layoutBefore() -> TextLayout { write(.before(0)) }

    mutating func layoutAfter() -> TextLayout { write(counterpart(0, 0)) }

    private mutating func write(_ root: Value) -> TextLayout {
        layout = TextLayout()
        write(root, isLast: true, path: .root)
        while let frame = frames.last {
            let depth = frames.count
            guard frame.next < frame.items.count else {
                frames.removeLast()
                layout.append(frame.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                endLine(isLast: frame.isLast)
                continue
            }
            frames[depth - 1].next += 1
            let item = frame.items[frame.next]
            var path = frame.path
            if frame.isObject {
                layout.append(nameBytes(item.name))
                layout.append(": ".utf8)
            }
            if isContainer(item.value) {
                path = path.appending(frame.isObject ? .name(name(item.name)) : .index(frame.next))
            }
            write(item.value, isLast: frame.next == frame.items.count - 1, path: path)
        }
        return layout
    }

    /// Writes a scalar, or the line that opens a container.
    private mutating func write(_ value: Value, isLast: Bool, path: JSONPath) {
        guard isContainer(value) else {
            if isWhole(value) {
                layout.append(Self.summary(bytes(value)))
            } else {
                layout.append(bytes(value))
            }
            endLine(isLast: isLast)
            return
        }
        let isObject = firstByte(value) == UInt8(ascii: "{")
        let items = items(value)
        guard !items.isEmpty else {
            layout.append((isObject ? "{}" : "[]").utf8)
            endLine(isLast: isLast)
            return
        }
        layout.append(firstByte(value))
        layout.endLine(depth: frames.count, container: frames.last?.path ?? .root)
        frames.append(Frame(items: items, isObject: isObject, isLast: isLast, path: path))
    }

    private mutating func endLine(isLast: Bool) {
        if !isLast { layout.append(UInt8(ascii: ",")) }
        layout.endLine(depth: frames.count, container: frames.last?.path ?? .root)
    }

    private mutating func items(_ value: Value) -> [Item] {
        switch value {
        case .before(let node): comparison.before.children(node).map { Item(value: .before($0), name: .before($0)) }
        case .after(let node): comparison.after.children(node).map { Item(value: .after($0), name: .after($0)) }
        case .both(let before, let after):
            comparison.pairs(before, after).compactMap { pair in
                guard let after = pair.after else { return nil }
                guard let before = pair.before else { return Item(value: .after(after), name: .after(after)) }
                return Item(value: counterpart(before, after), name: .before(before))
            }
        }
    }

    /// How the later one of a pair is written: what is equal, as the earlier one is.
    private func counterpart(_ before: Int, _ after: Int) -> Value {
        if comparison.isEqual(before, after) { return .before(before) }
        return comparison.canDescend(before, after) ? .both(before, after) : .after(after)
    }

    // MARK: - The document that a value is in

    private func firstByte(_ value: Value) -> UInt8 {
        switch value {
        case .before(let node): comparison.before.firstByte(node)
        case .after(let node), .both(_, let node): comparison.after.firstByte(node)
        }
    }

    private func isContainer(_ value: Value) -> Bool {
        let byte = firstByte(value)
        return (byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")) && !isWhole(value)
    }

    private func isWhole(_ value: Value) -> Bool {
        switch value {
        case .before(let node): comparison.before.isWhole(node)
        case .after(let node), .both(_, let node): comparison.after.isWhole(node)
        }
    }

    /// For `[1,2,…]`: `[ 16777216 bytes, SHA-256 9f86d081… ]`, all of the sum. What is no longer than that is shown itself.
    private static func summary(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        if bytes.count <= 96, !bytes.contains(where: { $0 < 0x20 }) { return Array(bytes) }
        var digest = [UInt8](repeating: 0, count: 32)
        bytes.withUnsafeBufferPointer { csha256($0.baseAddress, $0.count, &digest) }
        let hexadecimal = digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return bytes.prefix(1) + " \(bytes.count) bytes, SHA-256 \(hexadecimal) ".utf8 + bytes.suffix(1)
    }

    private func bytes(_ value: Value) -> ArraySlice<UInt8> {
        switch value {
        case .before(let node): comparison.before.bytes(node)
        case .after(let node), .both(_, let node): comparison.after.bytes(node)
        }
    }

    private func nameBytes(_ value: Value) -> ArraySlice<UInt8> {
        switch value {
        case .before(let node): comparison.before.nameBytes(node)
        case .after(let node), .both(_, let node): comparison.after.nameBytes(node)
        }
    }

    private func name(_ value: Value) -> Identifier {
        switch value {
        case .before(let node): comparison.before.name(node)
        case .after(let node), .both(_, let node): comparison.after.name(node)
        }
    }
}
