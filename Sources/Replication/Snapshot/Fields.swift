internal import GroupSPI
internal import Store

/// A value of a snapshot's JSON, read strictly: what is missing or of another kind has a sentence.
struct Fields {
    let view: JSONView
    /// Where it stands, for messages.
    private let place: String

    init(_ view: JSONView, _ place: String) {
        self.view = view
        self.place = place
    }

    subscript(_ name: String) -> Fields {
        get throws {
            guard let value = view.member(name) else { throw wrong("has no \(name)") }
            return Fields(value, name)
        }
    }

    /// - Returns: nil when it is missing or null.
    func optional(_ name: String) -> Fields? {
        guard let value = view.member(name), !value.isNull else { return nil }
        return Fields(value, name)
    }

    /// - Returns: no element when it is missing or null.
    func list(_ name: String) throws -> [Fields] {
        guard let value = optional(name) else { return [] }
        guard value.view.kind == .array else { throw value.wrong("is not a list") }
        return value.view.elements.map { Fields($0, "an element of \(name)") }
    }

    func members() throws -> [(Identifier, Fields)] {
        guard view.kind == .object else { throw wrong("is not an object") }
        return view.members.map { ($0.name, Fields($0.value, $0.name.text)) }
    }

    func text() throws -> String {
        guard let text = view.string else { throw wrong("is not a string") }
        return text
    }

    func identifier() throws -> Identifier { Identifier(try text()) }

    func integer() throws -> Int {
        guard let number = view.exactInt else { throw wrong("is not a whole number") }
        return number
    }

    func number() throws -> Int {
        guard let number = view.exactInt, number >= 0 else { throw wrong("is not a number from 0 on") }
        return number
    }

    func hex() throws -> [UInt8] {
        guard let bytes = [UInt8](hexadecimal: try text()) else { throw wrong("is not hexadecimal") }
        return bytes
    }

    func code<Value: RawRepresentable<Int>>() throws -> Value {
        guard let value = Value(rawValue: try integer()) else { throw wrong("has an unknown value") }
        return value
    }

    func word() throws -> Operation { try known(Operation.allCases.first { $0.name == (try? text()) }) }

    func word() throws -> Status {
        try known(Status.allCases.first { $0.name == (try? text()) && $0 != .partial })
    }

    private func known<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw wrong("has an unknown value; a newer manager may have written it") }
        return value
    }

    private func wrong(_ what: String) -> SnapshotCodec.Unreadable {
        SnapshotCodec.Unreadable(reason: "\(place) \(what)")
    }
}
