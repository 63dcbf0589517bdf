import GroupSPI

/// The scanner, and the views on what it has accepted.
///
/// Exactly JSON is accepted, within the limits; nothing of it is lost or added on the way through a view, a value to be
/// written, and a layout.
enum JSONTarget {
    /// Small enough to be reached by every other input.
    private static let narrow = JSONLimits(maximumBytes: 64, maximumDepth: 4)

    static func run(_ input: [UInt8]) throws {
        let expected = JSONReference.verdict(input)
        do {
            let view = try JSONView(input)
            guard case .depth(let depth) = expected, depth <= JSONLimits.standard.maximumDepth else {
                throw Broken(description: "accepted, and is \(expected)")
            }
            try narrowLimits(input, fits: input.count <= narrow.maximumBytes && depth <= narrow.maximumDepth)
            try roundTrip(view, depth)
        } catch let error as JSONError {
            try require((0...input.count).contains(error.offset), "blames byte \(error.offset) of \(input.count)")
            try require(!error.description.isEmpty, "gives no reason")
            try narrowLimits(input, fits: false)
            switch expected {
            case .invalid, .beyond: break
            case .depth(let depth):
                try require(
                    error.code == .tooDeep && depth > JSONLimits.standard.maximumDepth,
                    "refuses \(depth) levels of JSON: \(error)"
                )
            }
        }
    }

    private static func narrowLimits(_ input: [UInt8], fits: Bool) throws {
        let isAccepted = (try? JSONView(input, limits: narrow)) != nil
        try require(
            isAccepted == fits,
            isAccepted ? "accepts more than the limits" : "refuses what is within the limits"
        )
    }

    private static func roundTrip(_ view: JSONView, _ depth: Int) throws {
        let read = try value(view)
        try same(value(view.raw.bytes), read, "its own text differs")
        try same(value(read.bytes), read, "written and read again, it differs")
        // A layout grows with the square of the depth, and walking it with the cube.
        guard depth <= 64 else { return }
        try same(value(Array(read.indented.utf8)), read, "laid out, it differs")
    }

    private static func value(_ text: [UInt8]) throws -> JSON {
        // Written anew it may be longer, and no limit has been set for that.
        try value(JSONView(text, limits: JSONLimits(maximumBytes: .max)))
    }

    private static func value(_ view: JSONView) throws -> JSON {
        switch view.kind {
        case .null: return .null
        case .bool: return .bool(try require(view.bool, "a boolean without a value"))
        case .number:
            let text = view.raw.text
            try same(view.int, Int(text), "the integer \(text)")
            return .raw(view.raw)
        case .string:
            let string = try require(view.string, "a string without a value")
            try require(
                string.utf8.elementsEqual(JSONReference.decoded(view.bytes).utf8),
                "the string \(view.raw) is read as \(string)"
            )
            return .string(string)
        case .array: return .array(try view.elements.map(value))
        case .object:
            let members = view.members
            for name in Set(members.prefix(8).map(\.name)) where name.utf8.allSatisfy({ $0 < 0x80 }) {
                let last = members.last { $0.name.text.lowercased() == name.text.lowercased() }
                let found = try require(view.member(name.text), "no member \(name)")
                try require(found.bytes.indices == last?.value.bytes.indices, "another member \(name)")
            }
            return .object(try members.map { JSON.Member($0.name, try value($0.value)) })
        }
    }
}
