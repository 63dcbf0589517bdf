import SeededRandom

/// Makes documents, changes them and writes them in many spellings. The same seed makes the same ones.
struct Generator: RandomNumberGenerator {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed) }

    mutating func next() -> UInt64 { random.next() }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func value(depth: Int) -> Model {
        switch below(depth > 0 ? 9 : 4) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2: return .number(below(Model.numbers.count))
        case 3: return .string(Array(Model.strings[below(Model.strings.count)].utf8))
        case 4...6:
            var members: [[UInt8]: Model] = [:]
            for _ in 0..<below(5) { members[name()] = value(depth: depth - 1) }
            return .object(members)
        default: return .array((0..<below(6)).map { _ in value(depth: depth - 1) })
        }
    }

    private mutating func name() -> [UInt8] { Array(Model.names[below(Model.names.count)].utf8) }

    /// The value with a change somewhere in it, or now and then none.
    mutating func changed(_ value: Model) -> Model {
        switch value {
        case .object(var members) where below(4) > 0:
            let keys = members.keys.sorted { $0.lexicographicallyPrecedes($1) }
            if let key = keys.randomElement(using: &self) {
                switch below(4) {
                case 0: members[key] = nil
                case 1: members[name()] = members[key]
                default: members[key] = changed(members[key] ?? .null)
                }
            } else {
                members[name()] = self.value(depth: 1)
            }
            return .object(members)
        case .array(var elements) where below(4) > 0:
            let index = below(elements.count + 1)
            if index == elements.count || below(3) == 0 {
                elements.insert(self.value(depth: 1), at: index)
            } else if below(3) == 0 {
                elements.remove(at: index)
            } else {
                elements[index] = changed(elements[index])
            }
            return .array(elements)
        default: return self.value(depth: 2)
        }
    }

    /// One of the many texts of a value: spellings, white space, order of members and overridden duplicates vary.
    mutating func text(_ value: Model) -> String {
        space() + token(value) + space()
    }

    private mutating func space() -> String { ["", "", " ", "\n\t", "\r\n"][below(5)] }

    private mutating func token(_ value: Model) -> String {
        switch value {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let number): return Model.numbers[number][below(Model.numbers[number].count)]
        case .string(let bytes): return quoted(bytes)
        case .array(let elements):
            var parts: [String] = []
            for element in elements { parts.append(text(element)) }
            return "[" + parts.joined(separator: ",") + "]"
        case .object(let members):
            var parts: [String] = []
            let keys = members.keys.sorted { $0.lexicographicallyPrecedes($1) }.shuffled(using: &self)
            for key in keys {
                let duplicate = below(8) == 0
                if duplicate { parts.insert(space() + quoted(key) + ":" + text(self.value(depth: 1)), at: 0) }
                parts.append(space() + quoted(key) + space() + ":" + text(members[key] ?? .null))
            }
            return "{" + parts.joined(separator: ",") + "}"
        }
    }

    private mutating func quoted(_ bytes: [UInt8]) -> String {
        var result = "\""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar == "\"" || scalar == "\\" || below(3) == 0 {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
