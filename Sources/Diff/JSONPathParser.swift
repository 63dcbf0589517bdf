import GroupSPI
internal import GroupSPI

/// Reads the text of a ``JSONPath``.
struct JSONPathParser {
    private let bytes: [UInt8]
    private var index = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    mutating func parse() throws(JSONPathError) -> JSONPath {
        guard !bytes.isEmpty else { throw error("empty; the whole document is '.'") }
        if bytes == [UInt8(ascii: ".")] { return .root }
        var path = JSONPath.root
        var depth = 0
        while index < bytes.count {
            // No document is deeper, and steps are released one inside the other.
            guard depth < JSONLimits.standard.maximumDepth else {
                throw error("longer than \(JSONLimits.standard.maximumDepth) steps")
            }
            path = path.appending(try component(isFirst: depth == 0))
            depth += 1
        }
        return path
    }

    private mutating func component(isFirst: Bool) throws(JSONPathError) -> JSONPath.Component {
        if bytes[index] == UInt8(ascii: "[") {
            index += 1
            let component = try bracketed()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "]") else { throw error("looking for ']'") }
            index += 1
            return component
        }
        if !isFirst {
            guard bytes[index] == UInt8(ascii: ".") else { throw error("looking for '.' or '['") }
            index += 1
        }
        let start = index
        while index < bytes.count, JSONPath.isPlain(bytes[index]) { index += 1 }
        guard index > start else {
            throw error("looking for a name; one with other than a-z, A-Z, 0-9, '_' and '-' is written [\"like this\"]")
        }
        return .name(Identifier(String(decoding: bytes[start..<index], as: UTF8.self)))
    }

    /// What stands between brackets: a name in quotation marks or an index.
    private mutating func bracketed() throws(JSONPathError) -> JSONPath.Component {
        guard index < bytes.count else { throw error("looking for an index or a name in quotes") }
        return bytes[index] == UInt8(ascii: "\"") ? .name(try quotedName()) : .index(try arrayIndex())
    }

    private mutating func quotedName() throws(JSONPathError) -> Identifier {
        let start = index
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < bytes.count else {
            throw JSONPathError(offset: start, message: "a name without its closing quotation mark")
        }
        index += 1
        do throws(JSONError) {
            return try JSONView(Array(bytes[start..<index])).identifier ?? ""
        } catch {
            throw JSONPathError(offset: start + error.offset, message: error.message)
        }
    }

    private mutating func arrayIndex() throws(JSONPathError) -> Int {
        let start = index
        while index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
        guard index > start else { throw error("looking for an index or a name in quotes") }
        guard index == start + 1 || bytes[start] != UInt8(ascii: "0") else {
            throw JSONPathError(offset: start, message: "an index with a leading zero")
        }
        guard let value = Int(String(decoding: bytes[start..<index], as: UTF8.self)) else {
            throw JSONPathError(offset: start, message: "an index that is too large")
        }
        return value
    }

    private func error(_ message: String) -> JSONPathError {
        JSONPathError(offset: index, message: message)
    }
}
