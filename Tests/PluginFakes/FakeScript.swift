/// Where a fake plugin does something else than its generation would.
public struct FakeScript: Sendable {
    /// Nil for what the generation would do.
    let decide: @Sendable (FakeRequest) -> FakeAnswer?

    public init(_ decide: @escaping @Sendable (FakeRequest) -> FakeAnswer?) {
        self.decide = decide
    }

    public static let none = FakeScript { _ in nil }

    public static func always(_ answer: FakeAnswer) -> FakeScript {
        FakeScript { _ in answer }
    }

    /// - Parameter method: with the service: `Group.CommitGroup`.
    public static func on(_ method: String, _ answer: FakeAnswer) -> FakeScript {
        FakeScript { $0.method == method ? answer : nil }
    }
}
