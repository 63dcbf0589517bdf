/// How much of a JSON text is accepted before it is refused.
///
/// Input comes from a socket: without limits one sender could take all memory or, by nesting, all stack.
public struct JSONLimits: Hashable, Sendable {
    /// Largest text, in bytes.
    public var maximumBytes: Int
    /// Deepest nesting of arrays and objects.
    public var maximumDepth: Int

    public init(maximumBytes: Int = 16 * 1024 * 1024, maximumDepth: Int = 512) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
    }

    /// 16 MiB and 512 levels.
    public static let standard = JSONLimits()
}
