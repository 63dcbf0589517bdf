extension GroupSpec {
    /// What the specifications of all groups may be together, counted as ``largestText``: 64 MiB. It follows what a plugin's reply,
    /// an export and an import may be.
    public static let largestSum = 64 * 1024 * 1024

    /// What one specification may be: with all that is around it, it still fits into a request.
    public static let largestOne = JSONLimits.standard.maximumBytes - 64 * 1024

    /// Whether it fits into a call to a plugin, however its name has to be escaped there.
    public var fitsIntoRequest: Bool { properties.bytes.count + 6 * id.utf8.count <= Self.largestOne }

    /// The most bytes in which anybody gives this specification back: plugins of other languages write other escapes and other
    /// white space, and an export has more around it.
    public var largestText: Int {
        256 + Array(id.utf8).withUnsafeBufferPointer(Self.largest)
            + properties.bytes.withUnsafeBufferPointer(Self.largest)
    }

    /// Of many megabytes, under the hands of who keeps the groups: so without a call for each byte.
    private static func largest(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        factors.withUnsafeBufferPointer { factors in
            var sum = 0
            var index = 0
            while index < bytes.count {
                sum += Int(factors[Int(bytes[index])])
                index += 1
            }
            return sum
        }
    }

    /// How many bytes a byte may become.
    private static let factors: [UInt8] = (0...255).map { byte in
        switch UInt8(byte) {
        // `\u003c`, as Go escapes them; control characters in a name.
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), 0x00..<0x09, 0x0B..<0x0D, 0x0E..<0x20, 0x7F: 6
        // Four bytes as two escapes of six, two bytes as one.
        case 0x80...0xFF: 3
        // A blank behind them; and what a name escapes.
        case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "\""), UInt8(ascii: "\\"): 2
        default: 1
        }
    }
}

extension JSONLimits {
    /// A file with the groups of a whole configuration.
    public static let configuration = JSONLimits(maximumBytes: GroupSpec.largestSum)

    /// A plugin's reply: all groups, and while changes are under way some of them as they were before. What is around a
    /// specification is not deeper than in the request that brought it.
    public static let reply = JSONLimits(
        maximumBytes: 2 * GroupSpec.largestSum,
        maximumDepth: standard.maximumDepth + 8
    )
}
