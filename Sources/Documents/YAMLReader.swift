internal import CYAML
internal import GroupSPI

/// Turns YAML into JSON, event by event. The syntax is libyaml's affair.
struct YAMLReader {
    /// What an anchor names.
    private struct Value {
        let json: JSON
        /// About the bytes that it takes.
        let size: Int
        /// Levels of collections.
        var depth = 0
    }

    /// A collection that is being read.
    private struct Open {
        var members: [JSON.Member]?
        var names: Set<Identifier> = []
        var elements: [JSON] = []
        var key: Identifier?
        /// The key is `<<`, written without quotes.
        var isMerge = false
        /// Mappings that `<<` names; what the mapping says itself comes first.
        var merged: [JSON.Member] = []
        var size = 2
        var depth = 1
        let anchor: Identifier?
        let line: Int

        var value: Value { Value(json: json, size: size, depth: depth) }

        private var json: JSON {
            guard var members else { return .array(elements) }
            var names = names
            for member in merged where names.insert(member.name).inserted { members.append(member) }
            return .object(members)
        }
    }

    private let limits: JSONLimits
    private var open: [Open] = []
    private var anchors: [Identifier: Value] = [:]
    private var documents: [JSON] = []
    /// How many bytes aliases have added: a few lines may stand for gigabytes.
    private var copied = 0

    private init(_ limits: JSONLimits) {
        self.limits = limits
    }

    static func read(_ text: [UInt8], limits: JSONLimits) throws(DocumentError) -> [JSONView] {
        var reader = YAMLReader(limits)
        let documents = try reader.run(text)
        var views: [JSONView] = []
        for document in documents {
            do {
                views.append(try JSONView(document.bytes, limits: limits))
            } catch {
                throw DocumentError(error.description)
            }
        }
        return views
    }

    private mutating func run(_ text: [UInt8]) throws(DocumentError) -> [JSON] {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else {
            throw DocumentError(
                "there is not enough memory to read YAML"
            )
        }
        defer { yaml_parser_delete(&parser) }
        // The parser keeps the pointer: it must stay where it is until the end.
        let result = text.withUnsafeBufferPointer { buffer -> Result<Void, DocumentError> in
            yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            do throws(DocumentError) {
                try readEvents(&parser)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return documents
    }

    private mutating func readEvents(_ parser: inout yaml_parser_t) throws(DocumentError) {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(&parser, &event) == 1 else { throw Self.trouble(parser) }
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT { return }
            try take(event)
        }
    }

    private static func trouble(_ parser: yaml_parser_t) -> DocumentError {
        let problem = parser.problem.map { String(cString: $0) } ?? "it is not YAML"
        let context = parser.context.map { String(cString: $0) + ": " } ?? ""
        return DocumentError(line: Int(parser.problem_mark.line) + 1, context + problem)
    }

    private mutating func take(_ event: yaml_event_t) throws(DocumentError) {
        let line = Int(event.start_mark.line) + 1
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
            if expectsKey {
                try takeKey(Identifier(text), isMerge: isPlain && scalar.tag == nil && text == "<<", line: line)
                if let anchor = Self.text(scalar.anchor) {
                    anchors[anchor] = Value(json: .string(text), size: text.utf8.count)
                }
            } else {
                let json = try YAMLScalar.json(text, isPlain: isPlain, tag: Self.text(scalar.tag)?.text, line: line)
                let value = Value(json: json, size: text.utf8.count + 2)
                try add(value, anchor: Self.text(scalar.anchor), line: line)
            }
        case YAML_MAPPING_START_EVENT:
            try begin(Open(members: [], anchor: Self.text(event.data.mapping_start.anchor), line: line))
        case YAML_SEQUENCE_START_EVENT:
            try begin(Open(members: nil, anchor: Self.text(event.data.sequence_start.anchor), line: line))
        case YAML_MAPPING_END_EVENT, YAML_SEQUENCE_END_EVENT:
            guard let ended = open.popLast() else { return }
            try add(ended.value, anchor: ended.anchor, line: ended.line)
        case YAML_ALIAS_EVENT:
            let name = Self.text(event.data.alias.anchor) ?? ""
            guard let value = anchors[name] else {
                throw DocumentError(line: line, "the alias *\(name)' names no earlier anchor")
            }
            copied += value.size
            guard copied <= limits.maximumBytes else {
                throw DocumentError(line: line, "with its aliases the text is longer than \(limits.maximumBytes) bytes")
            }
            if expectsKey {
                guard case .string(let key) = value.json else { throw Self.badKey(line) }
                try takeKey(Identifier(key), line: line)
            } else {
                guard open.count + value.depth <= limits.maximumDepth else { throw tooDeep(line) }
                try add(value, anchor: nil, line: line)
            }
        case YAML_DOCUMENT_START_EVENT: anchors = [:]
        default: break
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> Identifier? {
        pointer.map { Identifier(String(cString: $0)) }
    }

    private static func badKey(_ line: Int) -> DocumentError {
        DocumentError(line: line, "a key must be a string, as in JSON")
    }

    private var expectsKey: Bool { open.last.map { $0.members != nil && $0.key == nil } ?? false }

    private mutating func begin(_ collection: Open) throws(DocumentError) {
        guard !expectsKey else { throw Self.badKey(collection.line) }
        guard open.count < limits.maximumDepth else { throw tooDeep(collection.line) }
        open.append(collection)
    }

    private func tooDeep(_ line: Int) -> DocumentError {
        DocumentError(line: line, "nested deeper than \(limits.maximumDepth) levels")
    }

    private mutating func takeKey(_ key: Identifier, isMerge: Bool = false, line: Int) throws(DocumentError) {
        let last = open.count - 1
        guard last >= 0 else { return }
        if !isMerge, !open[last].names.insert(key).inserted {
            throw DocumentError(line: line, "the key '\(key)' appears twice; remove one")
        }
        open[last].key = key
        open[last].isMerge = isMerge
    }

    private mutating func add(_ value: Value, anchor: Identifier?, line: Int) throws(DocumentError) {
        if let anchor { anchors[anchor] = value }
        let last = open.count - 1
        guard last >= 0 else { return documents.append(value.json) }
        open[last].size += value.size + (open[last].key?.utf8.count ?? 0) + 4
        open[last].depth = max(open[last].depth, value.depth + 1)
        guard open[last].members != nil else { return open[last].elements.append(value.json) }
        guard let key = open[last].key else { return }
        open[last].key = nil
        guard open[last].isMerge else {
            open[last].members?.append(JSON.Member(key, value.json))
            return
        }
        switch value.json {
        case .object(let members): open[last].merged += members
        case .array(let values):
            for value in values {
                guard case .object(let members) = value else { throw Self.badMerge(line) }
                open[last].merged += members
            }
        default: throw Self.badMerge(line)
        }
    }

    private static func badMerge(_ line: Int) -> DocumentError {
        DocumentError(line: line, "<< must be a mapping or a list of mappings")
    }
}
