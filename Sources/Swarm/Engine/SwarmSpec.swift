public import GroupSPI

/// The specification of a swarm, byte for byte as the Engine gave it.
///
/// An update replaces the whole of it, so what is not ours to change has to go back as it came, also what this version
/// has never heard of.
public struct SwarmSpec: Hashable, Sendable {
    public let raw: RawJSON

    /// - Throws: ``EngineError`` `malformed` when it is no object, or its labels are no object of strings.
    public init(_ raw: RawJSON) throws(EngineError) {
        let view = JSONView(raw)
        guard view.kind == .object else {
            throw EngineError(.malformed, "a swarm's specification must be an object, not \(view.kind.rawValue)")
        }
        if let labels = view.member("Labels"), !labels.isNull {
            guard labels.kind == .object, labels.members.allSatisfy({ $0.value.kind == .string }) else {
                throw EngineError(.malformed, "the labels of a swarm's specification must be an object of strings")
            }
        }
        self.raw = raw
    }

    private init(edited bytes: [UInt8]) {
        self.raw = RawJSON(checked: bytes)
    }

    /// The label's value; nil when there is none. Labels differ by case, unlike the members of Go's structures.
    public func label(_ name: String) -> String? {
        value(of: name)?.string
    }

    /// The same specification with that label, and nothing else, changed or added.
    public func setting(label name: String, to value: String) -> SwarmSpec {
        let view = JSONView(raw)
        let text = JSON.string(value).bytes
        let member = JSON.string(name).bytes + [UInt8(ascii: ":")] + text
        if let old = self.value(of: name) { return replacing(old.bytes.indices, by: text) }
        guard let labels = view.member("Labels") else {
            return inserting(Array("\"Labels\":{".utf8) + member + [UInt8(ascii: "}")], into: view)
        }
        guard !labels.isNull else {
            return replacing(labels.bytes.indices, by: [UInt8(ascii: "{")] + member + [UInt8(ascii: "}")])
        }
        return inserting(member, into: labels)
    }

    /// Of two labels of one name Go takes the last.
    private func value(of name: String) -> JSONView? {
        JSONView(raw).member("Labels")?.members.last { $0.name == Identifier(name) }?.value
    }

    /// Puts a member behind the last one of that object.
    private func inserting(_ member: [UInt8], into object: JSONView) -> SwarmSpec {
        if let last = object.members.last?.value.bytes {
            return replacing(last.endIndex..<last.endIndex, by: [UInt8(ascii: ",")] + member)
        }
        let start = object.bytes.startIndex + 1
        return replacing(start..<start, by: member)
    }

    private func replacing(_ range: Range<Int>, by bytes: [UInt8]) -> SwarmSpec {
        var text = raw.bytes
        text.replaceSubrange(range, with: bytes)
        return SwarmSpec(edited: text)
    }
}
