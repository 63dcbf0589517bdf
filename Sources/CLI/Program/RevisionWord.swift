internal import ArgumentParser
internal import GroupSPI
internal import Store

/// How people name a revision: by its number, or by a tag.
struct RevisionWord: ExpressibleByArgument, Hashable {
    enum Word: Hashable {
        case number(Int)
        case tag(Identifier)
    }

    let word: Word

    init?(argument: String) {
        if let number = Int(argument) {
            word = .number(number)
        } else if Tag.isName(argument) {
            word = .tag(Identifier(argument))
        } else {
            return nil
        }
    }

    /// The number, whether or not the history has it.
    ///
    /// - Throws: ``Failure`` that says which tags there are.
    func number(in store: Store) async throws -> Int {
        switch word {
        case .number(let number): return number
        case .tag(let name):
            let tags = try await store.tags(within: commandTimeout)
            if let tag = tags.first(where: { $0.name == name }) { return tag.revision }
            throw Failure(
                "there is no tag '\(name)'; "
                    + (tags.isEmpty ? "there are no tags" : "there are: \(tags.map(\.name).joined(separator: ", "))")
            )
        }
    }

    /// - Returns: the current revision where nobody names one.
    /// - Throws: ``Failure`` for an empty history.
    static func numberOrCurrent(_ word: RevisionWord?, in store: Store) async throws -> Int {
        if let word { return try await word.number(in: store) }
        let summary = try await store.summary(within: commandTimeout)
        guard let current = summary.current ?? (summary.newest > 0 ? summary.newest : nil) else {
            throw Failure("the history is empty: no group has been committed yet")
        }
        return current
    }
}
