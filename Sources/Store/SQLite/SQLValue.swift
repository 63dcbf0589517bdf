internal import GroupSPI

/// A value bound to a statement's parameter.
enum SQLValue: Sendable, ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    case null
    case int(Int)
    case text(String)
    case blob([UInt8])

    init(nilLiteral: ()) { self = .null }
    init(integerLiteral value: Int) { self = .int(value) }
    init(stringLiteral value: String) { self = .text(value) }

    static func int(_ value: Int?) -> SQLValue { value.map { .int($0) } ?? .null }
    static func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
    static func text(_ value: Identifier) -> SQLValue { .text(value.text) }
}
