import Diff
import GroupSPI
import Testing

/// A JSON value that is understood independently of the module: the oracle of the property tests.
///
/// Numbers are only those of ``numbers``. Names and strings are compared by their bytes.
enum Model: Equatable {
    case null
    case bool(Bool)
    case number(Int)
    case string([UInt8])
    case array([Model])
    case object([[UInt8]: Model])

    /// Spellings of the numbers that are generated, by value.
    static let numbers: [[String]] = [
        ["0", "-0", "0.0", "0e7"], ["1", "1.0", "10e-1", "0.1E+1"], ["20", "2e1", "20.00", "0.02e3"], ["-3", "-3.0"],
        ["12345678901234567890123", "12345678901234567890123.0", "1234567890123456789012.3e1"],
        ["12345678901234567890124"], ["1e999999999", "10e999999998"],
    ]

    static let strings = ["", "x", "é", "e\u{301}", "a\"b", "\u{1F600}", "\u{7f}", "back\\slash", "x\u{85}"]
    static let names = ["Size", "size", "a.b", "é", "e\u{301}", "", "]", "\"", "0", "a\u{9b}b"]

    init(_ view: JSONView) throws {
        switch view.kind {
        case .null: self = .null
        case .bool: self = .bool(view.bool == true)
        case .number:
            let text = view.raw.text
            self = .number(try #require(Self.numbers.firstIndex { $0.contains(text) }))
        case .string: self = .string(Array((view.string ?? "").utf8))
        case .array: self = .array(try view.elements.map(Model.init))
        case .object:
            var members: [[UInt8]: Model] = [:]
            for member in view.members { members[Array(member.name.utf8)] = try Model(member.value) }
            self = .object(members)
        }
    }

    // MARK: - Applying changes

    private final class Trie {
        var children: [JSONPath.Component: Trie] = [:]
        var change: JSONChange?

        func insert(_ change: JSONChange) {
            var node = self
            for component in change.path.components {
                let child = node.children[component] ?? Trie()
                node.children[component] = child
                node = child
            }
            node.change = change
        }
    }

    /// What the value becomes by the changes.
    func applying(_ changes: [JSONChange]) throws -> Model {
        let removed = Trie()
        let present = Trie()
        for change in changes { (change.kind == .removed ? removed : present).insert(change) }
        return try Self.apply(self, removed, present)
    }

    private static func apply(_ value: Model, _ removed: Trie?, _ present: Trie?) throws -> Model {
        if let change = present?.change { return try Model(JSONView(try #require(change.after))) }
        switch value {
        case .object(var members):
            for (name, value) in members {
                let component = JSONPath.Component.name(Identifier(String(decoding: name, as: UTF8.self)))
                let gone = removed?.children[component]
                members[name] =
                    gone?.change == nil ? try apply(value, gone, present?.children[component]) : nil
            }
            for case (.name(let name), let node) in present?.children ?? [:] where node.change?.kind == .added {
                #expect(members[Array(name.utf8)] == nil)
                members[Array(name.utf8)] = try apply(.null, nil, node)
            }
            return .object(members)
        case .array(let elements):
            var kept = elements.enumerated().filter { removed?.children[.index($0.offset)]?.change == nil }[...]
            var result: [Model] = []
            while true {
                let node = present?.children[.index(result.count)]
                if node?.change?.kind == .added {
                    result.append(try apply(.null, nil, node))
                } else if let next = kept.popFirst() {
                    result.append(try apply(next.element, removed?.children[.index(next.offset)], node))
                } else {
                    return .array(result)
                }
            }
        default: return value
        }
    }
}
