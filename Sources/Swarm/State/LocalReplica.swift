internal import Glibc
package import GroupSPI
package import Store

/// This node's copy of the history: what a ``SwarmStore`` needs of the database.
package protocol LocalReplica: Sendable {
    func lease(within timeout: Duration) async throws(StoreError) -> Lease
    func swarmCopy(within timeout: Duration) async throws(StoreError) -> SwarmCopy?
    func beginSwarmCopy(within timeout: Duration) async throws(StoreError)
    func setSwarmTrouble(_ trouble: String, within timeout: Duration) async throws(StoreError)
    func resetSwarmPosition(within timeout: Duration) async throws(StoreError)
    func project(_ image: HistoryImage?, _ copy: SwarmCopy, within timeout: Duration) async throws(StoreError)
        -> Projection
    func image(of count: Int, within timeout: Duration) async throws(StoreError) -> HistoryImage?
    func damagedPages(within timeout: Duration) async throws(StoreError) -> [Int]
    func pruneCopy(
        _ policy: RetentionPolicy,
        after position: Int,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep
    func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep

    func states(at number: Int?, within timeout: Duration) async throws(StoreError) -> [GroupState]
    func standing(within timeout: Duration) async throws(StoreError) -> StoredStanding
    func wholeStates(
        at number: Int,
        of group: Identifier?,
        within timeout: Duration
    ) async throws(StoreError) -> [GroupState]
    func state(of group: Identifier, before number: Int, within timeout: Duration) async throws(StoreError)
        -> GroupState?
    func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision?
    func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary
    func expiredConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation]

    func submit(_ request: Request, within timeout: Duration) async throws(StoreError)
    func request(_ id: String, within timeout: Duration) async throws(StoreError) -> Request?
    func sight(of asked: Request, within timeout: Duration) async throws(StoreError) -> RequestSight
    func renewRequest(_ id: String, within timeout: Duration) async throws(StoreError)
    func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool
    func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request]
    func passedOnRequests(
        within timeout: Duration
    ) async throws(StoreError) -> [(request: Request, isWithdrawn: Bool)]
    func moveRequest(
        _ id: String,
        from old: Request.State,
        to new: Request.State,
        error: String?,
        within timeout: Duration
    ) async throws(StoreError) -> Bool
    func noteRequests(_ notes: [String: String?], fence: Fence, within timeout: Duration) async throws(StoreError)
    func finishRequest(
        _ id: String,
        state: Request.State,
        error: String?,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError)
    func answerRequest(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError)
    func removeRequests(
        endedBefore sequence: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval
    func removeCopiedRequests(
        endedBefore sequence: Int,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval
}

extension Store: LocalReplica {}

/// Where a node keeps its copy.
package protocol ReplicaPlace: Sendable {
    /// For people.
    var path: String { get }

    /// Opens the copy; makes it when it is missing.
    func open() async throws(StoreError) -> any LocalReplica

    /// Puts the copy out of the way and an empty one in its place, which whoever has the old one open then finds.
    ///
    /// - Parameter word: goes into the old one's new name, and says why.
    /// - Returns: that name; nil when there was none.
    func replace(as word: String) async throws(StoreError) -> String?

    /// One that was put out of the way for that reason, if any is still there.
    func replaced(as word: String) -> String?
}

/// A database in a directory of its own.
struct DatabasePlace: ReplicaPlace {
    let configuration: StoreConfiguration

    var path: String { configuration.path }

    func open() async throws(StoreError) -> any LocalReplica { try await Store.openForManager(configuration) }

    func replace(as word: String) async throws(StoreError) -> String? {
        try await Store.replaceCopy(configuration, as: word)
    }

    func replaced(as word: String) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let folder = String(path[..<slash])
        let prefix = "\(path[path.index(after: slash)...]).\(word)-"
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(prefix), !name.hasSuffix("-journal") { return "\(folder)/\(name)" }
        }
        return nil
    }
}
