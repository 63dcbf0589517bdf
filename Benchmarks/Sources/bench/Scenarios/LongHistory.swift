internal import BenchmarkSupport
internal import GroupSPI
internal import Store

/// A database with a long history, made once and then kept.
struct LongHistory {
    static let groups = 1000
    /// Different specifications in it: a group that is made larger and smaller comes back to ones that it had.
    static let specs = 5000

    let directory: String
    let revisions: Int
    private let specs: Int

    /// - Parameter parent: the directory of such databases.
    init(in parent: String, revisions: Int, specs: Int = Self.specs) {
        directory = "\(parent)/history-\(revisions)"
        self.revisions = revisions
        self.specs = specs
    }

    /// Makes it if it is not there, or not complete.
    ///
    /// - Returns: the path of the database.
    func prepared() async throws -> String {
        try Files.makeDirectory(directory)
        let path = StoreConfiguration.path(in: directory)
        let predecessor = try await Predecessor(leading: path)
        let newest = try await predecessor.store.summary(within: Predecessor.patience).newest
        if newest < revisions {
            Terminal.say("making a history of \(revisions) revisions in \(directory)")
            let specs = specs
            try await predecessor.append(revisions: revisions - newest, groups: Self.groups, from: newest) {
                // Groups take turns, and none has the same twice in a row.
                Specs.properties(($0 / Self.groups + $0) % specs)
            }
        }
        try await predecessor.release()
        return path
    }
}
