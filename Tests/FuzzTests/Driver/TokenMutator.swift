import CFuzzer

/// Changes an input so that it stays what it is for longer: a number or a quoted string in it, whole, becomes another one.
/// Bytes at random seldom come to a number at the edge of what an integer holds, in a place where one is read.
enum TokenMutator {
    private static let numbers = [
        "0", "-1", "1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
        "4294967296", "1e400", "0.5", "-0",
    ]

    /// - Returns: nil for an input without a number or a string.
    static func mutate(_ input: [UInt8], _ generator: inout some RandomNumberGenerator) -> [UInt8]? {
        let tokens = tokens(of: input)
        guard let token = tokens.randomElement(using: &generator) else { return nil }
        var output = input
        switch Int.random(in: 0..<4, using: &generator) {
        case 0:
            output.replaceSubrange(token, with: numbers.randomElement(using: &generator).map { Array($0.utf8) } ?? [])
        case 1: output.replaceSubrange(token, with: input[tokens.randomElement(using: &generator) ?? token])
        case 2:
            // Long, to come to the limits.
            let middle = input[token].dropFirst().dropLast()
            let copies = 1 << Int.random(in: 1...10, using: &generator)
            guard middle.count * copies <= 8192 else { return nil }
            output.insert(contentsOf: Array(repeating: middle, count: copies).joined(), at: token.lowerBound + 1)
        default:
            // Repeated, with what lies between it and the one before: a member, or an element.
            guard let before = tokens.last(where: { $0.upperBound <= token.lowerBound }) else { return nil }
            output.insert(contentsOf: input[before.upperBound..<token.upperBound], at: token.upperBound)
        }
        return output
    }

    private static func tokens(of input: [UInt8]) -> [Range<Int>] {
        var tokens: [Range<Int>] = []
        var index = 0
        while index < input.count {
            let start = index
            index += 1
            if input[start] == UInt8(ascii: "\"") {
                while index < input.count, input[index] != UInt8(ascii: "\"") {
                    index += input[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                index = min(index + 1, input.count)
                tokens.append(start..<index)
            } else if isNumeral(input[start]) {
                while index < input.count, isNumeral(input[index]) { index += 1 }
                tokens.append(start..<index)
            }
        }
        return tokens
    }

    private static func isNumeral(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }
}

/// libFuzzer looks for this name.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ size: Int, _ maximum: Int, _ seed: CUnsignedInt) -> Int {
    var generator = SplitMix(state: UInt64(seed))
    let input = Array(UnsafeBufferPointer(start: bytes, count: size))
    guard generator.next() % 4 == 0, let output = TokenMutator.mutate(input, &generator), output.count <= maximum else {
        return LLVMFuzzerMutate(bytes, size, maximum)
    }
    _ = UnsafeMutableBufferPointer(start: bytes, count: maximum).update(fromContentsOf: output)
    return output.count
}

/// The same numbers from the same seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
