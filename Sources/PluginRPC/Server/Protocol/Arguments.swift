internal import GroupSPI

/// The one argument of a call: an object whose members are found without regard to case, and whose absence means that
/// every member is empty, as for a Go struct.
///
/// A member of the wrong type is refused in the words of Go's `encoding/json`, which people have learned to read.
struct Arguments {
    private let object: JSONView?
    /// The Go type that the object would be decoded into; it only appears in messages.
    private let type: String

    init(_ object: JSONView?, type: String) {
        self.object = object
        self.type = type
    }

    /// True when the member is there, be it null.
    func has(_ name: String) -> Bool { object?.member(name) != nil }

    func string(_ name: String, of goType: String = "string") throws(RPCFailure) -> String {
        guard let value = member(name) else { return "" }
        guard let string = value.string else { throw mismatch(value, name, goType) }
        return string
    }

    func bool(_ name: String) throws(RPCFailure) -> Bool {
        guard let value = member(name) else { return false }
        guard let bool = value.bool else { throw mismatch(value, name, "bool") }
        return bool
    }

    func int(_ name: String, of goType: String = "int") throws(RPCFailure) -> Int {
        guard let value = member(name) else { return 0 }
        guard let int = value.int else { throw mismatch(value, name, goType) }
        return int
    }

    func identifier(_ name: String, of goType: String) throws(RPCFailure) -> Identifier {
        Identifier(try string(name, of: goType))
    }

    func identifiers(_ name: String, of goType: String) throws(RPCFailure) -> [Identifier] {
        guard let value = member(name) else { return [] }
        guard value.kind == .array else { throw mismatch(value, name, "[]\(goType)") }
        var identifiers: [Identifier] = []
        for element in value.elements {
            guard element.isNull || element.kind == .string else { throw mismatch(element, name, goType) }
            identifiers.append(element.identifier ?? "")
        }
        return identifiers
    }

    /// The member's own members; all empty when it is absent.
    func object(_ name: String, of goType: String) throws(RPCFailure) -> Arguments {
        guard let value = member(name) else { return Arguments(nil, type: "\(type).\(name)") }
        guard value.kind == .object else { throw mismatch(value, name, goType) }
        return Arguments(value, type: "\(type).\(name)")
    }

    /// The member's text; null when it is absent.
    func raw(_ name: String) -> RawJSON { member(name)?.raw ?? .null }

    /// A member that is there and not null.
    private func member(_ name: String) -> JSONView? {
        guard let value = object?.member(name), !value.isNull else { return nil }
        return value
    }

    private func mismatch(_ value: JSONView, _ name: String, _ goType: String) -> RPCFailure {
        RPCFailure(
            .invalidRequest,
            "json: cannot unmarshal \(value.goKind) into Go struct field \(type).\(name) of type \(goType)"
        )
    }
}

extension JSONView {
    /// What the value is, in the words of Go's `encoding/json`; a number that is not an integer is shown.
    var goKind: String {
        guard kind == .number else { return kind.rawValue }
        return int == nil ? "number \(String(decoding: bytes.prefix(32), as: UTF8.self))" : "number"
    }
}
