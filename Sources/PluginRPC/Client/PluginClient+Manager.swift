public import GroupSPI
internal import NIOCore

extension PluginClient {
    /// What a manager says of itself (`Manager.Status`); see ``ManagerEndpoint/status()``.
    ///
    /// - Throws: ``GroupError``; `rejected` when the peer is no manager, or one that does not tell.
    public func managerStatus(within timeout: Duration) async throws(GroupError) -> RawJSON {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        let outcome = await Race.run(until: deadline, on: connector.group.any()) {
            await self.askStatus(until: deadline)
        }
        switch outcome {
        case .success(let status): return status
        case .failure(let error): throw error.groupError(plugin: name, method: "Status")
        }
    }

    private func askStatus(until deadline: ContinuousClock.Instant) async -> Result<RawJSON, LinkError> {
        do throws(LinkError) {
            let (peer, _) = try await checkOut(until: deadline)
            let outcome = await Self.exchangeStatus(peer)
            checkIn(peer, after: outcome, wasSilent: false, deadline)
            return outcome
        } catch {
            return .failure(error)
        }
    }

    private static func exchangeStatus(_ peer: Peer) async -> Result<RawJSON, LinkError> {
        do throws(LinkError) {
            switch try await peer.link.exchange(.managerStatus).outcome {
            case .error(let words): return .failure(.rejected(words))
            case .result(let result):
                guard let status = result.member("Status")?.raw else { return .failure(.nonsense("no status")) }
                return .success(status)
            }
        } catch {
            return .failure(error)
        }
    }
}
