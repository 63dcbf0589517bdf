/// What a manager tells its guard: sixteen bytes on a pipe, which the kernel passes whole.
public struct GuardMessage: Hashable, Sendable {
    /// Rises with every message; the guard sends it back when it has obeyed.
    public let number: Int
    /// When to let the groups go; nil for never.
    public let deadline: BootInstant?

    public static let size = 16

    public init(number: Int, deadline: BootInstant?) {
        self.number = number
        self.deadline = deadline
    }

    /// - Parameter bytes: exactly ``size``.
    public init(_ bytes: ArraySlice<UInt8>) {
        let deadline = Self.decode(bytes.suffix(8))
        self.init(
            number: Self.decode(bytes.prefix(8)),
            deadline: deadline == 0 ? nil : BootInstant(nanoseconds: deadline)
        )
    }

    public var bytes: [UInt8] { Self.encode(number) + Self.encode(deadline?.nanoseconds ?? 0) }

    static func encode(_ value: Int) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    static func decode(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
