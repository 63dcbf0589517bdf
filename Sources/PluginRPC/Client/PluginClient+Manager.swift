public import GroupSPI
internal import NIOCore

extension PluginClient {
    /// What a manager says of itself (`Manager.Status`); see `ManagerEndpoint/status()`.
    ///
    /// - Throws: `GroupError`; `rejected` when the peer is no manager, or one that does not tell.
    public func managerStatus(within timeout: Duration) async throws(GroupError) -> RawJSON {
        try await ask(.managerStatus, as: "Status", within: timeout) { $0.member("Status")?.raw }
    }

    /// Has the leader look for requests now (`Manager.LookForRequests`).
    ///
    /// - Returns: whether the peer leads.
    /// - Throws: `GroupError`; `rejected` when the peer is no manager, or one that does not know the method.
    public func lookForRequests(within timeout: Duration) async throws(GroupError) -> Bool {
        try await ask(.lookForRequests, as: "LookForRequests", within: timeout) { $0.member("Leader")?.bool }
    }

    /// Has the leader store what its users were told already (`Manager.StoreOutcomes`).
    ///
    /// - Returns: whether the history has all of it now.
    /// - Throws: `GroupError`; `rejected` when the peer is no manager, or one that does not know the method.
    public func storeOutcomes(within timeout: Duration) async throws(GroupError) -> Bool {
        try await ask(.storeOutcomes, as: "StoreOutcomes", within: timeout) { $0.member("Stored")?.bool }
    }

    /// Whether the plugin is a manager, and its calls come back to one of these (`Manager.FindLoop`).
    ///
    /// - Returns: nil when that cannot be told now.
    public func findLoop(through managers: [Identifier], within timeout: Duration) async -> Bool? {
        do throws(GroupError) {
            return try await ask(.findLoop(managers), as: "FindLoop", within: timeout) { view -> Bool?? in
                view.member("Loop").map(\.bool)
            }
        } catch {
            // Who does not know the question is no manager, and who is not there leads nowhere.
            return error.code == .rejected || error.code == .notRunning ? false : nil
        }
    }

    /// - Parameter read: finds the answer in the result; nil when it is not there.
    private func ask<Answer: Sendable>(
        _ call: WireCall,
        as method: String,
        within timeout: Duration,
        _ read: @escaping @Sendable (JSONView) -> Answer?
    ) async throws(GroupError) -> Answer {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        let outcome = await withDeadline(until: deadline, on: connector.group.any()) {
            () -> Result<Answer, TransportError> in
            do throws(TransportError) {
                let (peer, _) = try await self.checkOut(until: deadline)
                let outcome = await Self.exchange(call, with: peer, read)
                self.checkIn(peer, after: outcome, wasSilent: false, deadline)
                return outcome
            } catch {
                return .failure(error)
            }
        }
        switch outcome {
        case .success(let answer): return answer
        case .failure(let error): throw error.groupError(plugin: name, method: method, isQuestion: true)
        }
    }

    private static func exchange<Answer: Sendable>(
        _ call: WireCall,
        with peer: Peer,
        _ read: (JSONView) -> Answer?
    ) async -> Result<Answer, TransportError> {
        do throws(TransportError) {
            switch try await peer.transport.exchange(call).outcome {
            case .error(let words, _): return .failure(.rejected(words))
            case .result(let result):
                guard let answer = read(result) else { return .failure(.malformedReply("no answer to \(call.method)")) }
                return .success(answer)
            }
        } catch {
            return .failure(error)
        }
    }
}
