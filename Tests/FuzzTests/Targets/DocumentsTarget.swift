import Documents
import GroupSPI

/// What people write by hand, in YAML or JSON: it becomes JSON within the limits, JSON stays as it is, and what was read
/// from YAML is read the same from the JSON that it became.
enum DocumentsTarget {
    private static let narrow = JSONLimits(maximumBytes: 256, maximumDepth: 8)

    static func run(_ input: [UInt8]) throws {
        let documents = try read(input)
        for document in documents ?? [] {
            _ = try RawJSON(Array(document.bytes))
            guard document.kind == .object || document.kind == .array else { continue }
            let again = try Document.read(Array(document.bytes))
            try require(again.count == 1 && again[0].raw == document.raw, "read from its JSON it differs")
        }
        if let view = try? JSONView(input), view.kind == .object || view.kind == .array {
            try require(documents?.map(\.raw) == [view.raw], "JSON does not stay as it is")
        }
        if let few = try? Document.read(input, limits: narrow) {
            try require(input.count <= narrow.maximumBytes, "too long a text is read")
            try same(few.map(\.raw), documents?.map(\.raw), "with narrow limits it differs")
            for document in few { _ = try RawJSON(Array(document.bytes), limits: narrow) }
        }
    }

    private static func read(_ input: [UInt8]) throws -> [JSONView]? {
        do throws(DocumentError) {
            return try Document.read(input)
        } catch {
            // What becomes of YAML is JSON: where it is refused, that is not why. An alias can make it too long.
            let isJSON = input.contains { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") }
            let isLong = input.contains(UInt8(ascii: "*"))
            try require(isJSON || isLong || !error.message.contains("invalid JSON"), "made of YAML: \(error)")
            return nil
        }
    }
}
