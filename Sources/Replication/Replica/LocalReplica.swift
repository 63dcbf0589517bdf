package import Store

/// This node's replica of the history: what a ``ReplicatedStore`` needs of the database.
package protocol LocalReplica: HistoryStore, RequestStore, RequestSource {
    func replicaInfo(within timeout: Duration) async throws(StoreError) -> LocalReplicaInfo?
    func beginReplica(within timeout: Duration) async throws(StoreError)
    func setReplicaTrouble(_ trouble: String, within timeout: Duration) async throws(StoreError)
    func resetReplicaPosition(within timeout: Duration) async throws(StoreError)
    func apply(
        _ snapshot: Snapshot?,
        _ info: LocalReplicaInfo,
        within timeout: Duration
    ) async throws(StoreError) -> ApplyResult
    func snapshot(of count: Int, within timeout: Duration) async throws(StoreError) -> Snapshot?
    func damagedPages(within timeout: Duration) async throws(StoreError) -> [Int]
    func pruneReplica(
        _ policy: RetentionPolicy,
        after position: Int,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep

    func request(_ id: String, within timeout: Duration) async throws(StoreError) -> Request?
    func forwardedRequests(
        within timeout: Duration
    ) async throws(StoreError) -> [(request: Request, isCancelled: Bool)]
    func moveRequest(
        _ id: String,
        from old: Request.State,
        to new: Request.State,
        error: String?,
        within timeout: Duration
    ) async throws(StoreError) -> Bool
    func removeReplicaRequests(
        endedBefore sequence: Int,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval
}

extension Store: LocalReplica {}
