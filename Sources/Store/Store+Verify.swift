extension Store {
    /// Recomputes the hash of every revision and of every specification, and compares all other rows with one another.
    ///
    /// In many short transactions, so that managers can go on; what they append meanwhile is looked at as well. What the
    /// damage does not let be read is damage too: the rest is looked at as far as it can be.
    ///
    /// The chain proves that no revision was changed, inserted or dropped between others. That the newest were not
    /// dropped only somebody knows who has noted the last hash.
    public func verify(within timeout: Duration) async throws(StoreError) -> Verification {
        guard !configuration.checksPages else { return try await readingDamagedPages.verify(within: timeout) }
        let deadline = ContinuousClock.now + timeout
        var problems = try await verifySpecs(until: deadline)
        let position = try await verifyChain(until: deadline, &problems)
        for query in Connection.impossibleRecords {
            do {
                problems += try await reader.run(within: deadline - .now) { try $0.verifyRecords(query) }
            } catch  where error.code == .corrupt {
                problems.append(Damage("the data beside the history cannot be read: \(error.message)"))
                break
            }
        }
        return Verification(newest: position.number, revisions: position.count, problems: problems)
    }

    private func verifySpecs(until deadline: ContinuousClock.Instant) async throws(StoreError) -> [Damage] {
        var problems: [Damage] = []
        var next: Int? = 0
        var count = 200
        while let from = next {
            do {
                let length = count
                let part = try await reader.run(within: deadline - .now) { connection in
                    var position: Int? = from
                    let problems = try connection.verifySpecs(from: &position, count: length)
                    return (problems: problems, position: position)
                }
                problems += part.problems
                next = part.position
            } catch  where error.code == .corrupt && count > 1 {
                // Where exactly?
                count = 1
            } catch  where error.code == .corrupt {
                let revisions =
                    (try? await reader.run(within: deadline - .now) {
                        try $0.revisions(withSpecs: from + 1...Int.max)
                    }) ?? []
                let sentence = "specifications after number \(from) cannot be read: \(error.message)"
                problems.append(Damage(sentence + Damage.holders(revisions), revisions))
                next = nil
            }
        }
        return problems
    }

    /// - Returns: how far the revisions could be read.
    private func verifyChain(
        until deadline: ContinuousClock.Instant,
        _ problems: inout [Damage]
    ) async throws(StoreError) -> Connection.ChainPosition {
        var position = Connection.ChainPosition()
        var count = 500
        while true {
            do {
                let (from, length) = (position, count)
                let part = try await reader.run(within: deadline - .now) { connection in
                    var position = from
                    let problems = try connection.verifyChain(from: &position, count: length)
                    return (problems: problems, position: position)
                }
                problems += part.problems
                if part.position == position { return position }
                position = part.position
            } catch  where error.code == .corrupt && count > 1 {
                count = 1
            } catch  where error.code == .corrupt {
                let next = position.number + 1
                problems.append(
                    Damage("the revisions from \(next) on cannot be read: \(error.message)", [next])
                )
                return position
            }
        }
    }

    /// Has SQLite look at every page of the file, every index and every reference.
    ///
    /// - Important: One transaction from the beginning to the end: on a large file a leader may fail to renew its lease
    ///   meanwhile. Better on a copy.
    public func verifyFile(within timeout: Duration) async throws(StoreError) -> [String] {
        try await readingDamagedPages.reader.run(within: timeout) { try $0.verifyFile() }
    }

    /// The pages of the file that do not have their checksums, by number from 1; the first hundred of them. One short
    /// transaction, which reads the file from end to end.
    public func damagedPages(within timeout: Duration) async throws(StoreError) -> [Int] {
        try await readingDamagedPages.reader.run(within: timeout) { try $0.damagedPages(limit: 100) }
    }

    /// The same store, for one who reads what can be read, also from pages that do not have their checksums.
    public var readingDamagedPages: Store {
        var configuration = configuration
        configuration.checksPages = false
        return Store.openForCommand(configuration)
    }
}
