import GroupSPI

@testable import Swarm

/// An Engine's answers: read, or an error with a sentence that a person can bear. A label that is set is read back, and
/// the rest of the swarm's specification stays.
///
/// The first byte chooses the question, the rest is the answer's body.
enum EngineTarget {
    static func run(_ input: [UInt8]) throws {
        guard let first = input.first else { return }
        let body = Array(input.dropFirst())
        switch Result(catching: { () throws(EngineError) in try read(first, body) }) {
        case .success(let object?): try setLabels(of: object.spec)
        case .success(nil): break
        case .failure(let error):
            try require(
                (1...1000).contains(error.message.unicodeScalars.count),
                "a sentence of \(error.message.count) characters"
            )
        }
    }

    private static func read(_ question: UInt8, _ body: [UInt8]) throws(EngineError) -> SwarmObject? {
        switch question % 6 {
        case 0: _ = try EngineInfo(body, engine: "e")
        case 1: _ = try SwarmNode.one(body, engine: "e")
        case 2: _ = try SwarmNode.list(body, engine: "e").hasReachableMajority
        case 3: return try SwarmObject(body, engine: "e")
        case 4: _ = try EngineVersion.choose(from: body, engine: "e")
        default: throw EngineError(status: 300 + Int(question), body: body, engine: "e")
        }
        return nil
    }

    private static func setLabels(of spec: SwarmSpec) throws {
        for name in [Annotation.label, "a\"b", ""] {
            let old = spec.label(name)
            let changed = spec.setting(label: name, to: "x\\\u{1F600}")
            try same(changed.label(name), "x\\\u{1F600}", "the label '\(name)' as it was set")
            try same(try SwarmSpec(RawJSON(changed.raw.bytes)), changed, "the specification read again")
            try same(changed.setting(label: name, to: ""), spec.setting(label: name, to: ""), "set twice, and once")
            if let old { try same(changed.setting(label: name, to: old).label(name), old, "the old label, set again") }
            try same(others(changed, name), others(spec, name), "what is not the label '\(name)'")
        }
    }

    /// All values but the label's: the members of the specification, and of its labels.
    private static func others(_ spec: SwarmSpec, _ label: String) -> [[String]] {
        let view = JSONView(spec.raw)
        let labels = view.member("Labels")
        let members = view.members.filter { $0.value.bytes.indices != labels?.bytes.indices }
        let rest = (labels?.members ?? []).filter { !$0.name.utf8.elementsEqual(label.utf8) }
        return [members, rest].map { $0.map { "\($0.name) \($0.value.raw.text)" } }
    }
}
