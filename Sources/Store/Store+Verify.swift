extension Store {
    /// Recomputes the hash of every revision and of every specification.
    ///
    /// In many short transactions, so that managers can go on; what they append meanwhile is looked at as well.
    ///
    /// The chain proves that no revision was changed, inserted or dropped between others. That the newest were not
    /// dropped only somebody knows who has noted the last hash.
    public func verify(within timeout: Duration) async throws(StoreError) -> Verification {
        let deadline = ContinuousClock.now + timeout
        var problems: [String] = []
        var spec: Int? = 0
        while let from = spec {
            let part = try await reader.run(within: deadline - .now) { connection in
                var position: Int? = from
                let problems = try connection.verifySpecs(from: &position, count: 200)
                return (problems: problems, position: position)
            }
            problems += part.problems
            spec = part.position
        }
        var position = Connection.ChainPosition()
        while true {
            let from = position
            let part = try await reader.run(within: deadline - .now) { connection in
                var position = from
                let problems = try connection.verifyChain(from: &position, count: 500)
                return (problems: problems, position: position)
            }
            problems += part.problems
            if part.position == position { break }
            position = part.position
        }
        return Verification(newest: position.number, revisions: position.count, problems: problems)
    }

    /// Has SQLite look at every page of the file, every index and every reference.
    ///
    /// - Important: One transaction from the beginning to the end: on a large file a leader may fail to renew its lease
    ///   meanwhile. Better on a copy.
    public func verifyFile(within timeout: Duration) async throws(StoreError) -> [String] {
        try await reader.run(within: timeout) { try $0.verifyFile() }
    }
}

/// What a look at the whole history has found.
public struct Verification: Hashable, Sendable {
    /// The newest revision; 0 in an empty history.
    public let newest: Int
    /// How many there are: those that retention has removed are not among them.
    public let revisions: Int
    /// A sentence for each problem.
    public let problems: [String]

    public var isSound: Bool { problems.isEmpty }
}
