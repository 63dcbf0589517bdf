public import GroupSPI

/// What people write by hand: JSON or YAML, one document or several.
public enum Document {
    /// Reads JSON as it is, byte for byte, and anything else as YAML.
    ///
    /// - Returns: each document as JSON; none for a text without any.
    /// - Throws: ``DocumentError`` that names the line.
    public static func read(_ text: [UInt8], limits: JSONLimits = .standard) throws(DocumentError) -> [JSONView] {
        let text = text.withoutByteOrderMark
        guard !text.starts(with: [0xFF, 0xFE]), !text.starts(with: [0xFE, 0xFF]) else {
            throw DocumentError("it is UTF-16; save it as UTF-8")
        }
        guard text.count <= limits.maximumBytes else {
            throw DocumentError("\(text.count) bytes; at most \(limits.maximumBytes) are accepted")
        }
        if let first = text.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }), [0x7B, 0x5B].contains(first) {
            // What begins like JSON may still be YAML in its JSON-like spelling.
            if let view = try? JSONView(text, limits: limits) { return [view] }
            if let documents = try? YAMLReader.read(text, limits: limits) { return documents }
            do {
                return [try JSONView(text, limits: limits)]
            } catch {
                throw DocumentError(error.description)
            }
        }
        return try YAMLReader.read(text, limits: limits)
    }
}
