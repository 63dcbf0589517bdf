internal import GroupSPI
internal import ManagerModels
internal import Store

extension World {
    /// The plugin is told what is not stored yet.
    func tellPluginEarly(_ draft: RevisionDraft, _ process: SimulatedProcess) async {
        guard let replica = replicas.first(where: { $0.manager?.process === process }) else { return }
        let connection = PluginConnection(self, replica.plugin, process, replica.host)
        for change in draft.changes {
            guard case .set(let properties, _) = change.action else { continue }
            let request = GroupRequest.commit(GroupSpec(id: change.group, properties: properties), pretend: false)
            _ = try? await connection.call(request, within: .seconds(1))
        }
    }

    /// A revision as it would be, had it been stored.
    func imagined(_ draft: RevisionDraft, _ fence: Fence) -> Revision {
        Revision(draft, number: file.model.revisions.count + 1, after: [], fence: fence, time: 0)
    }
}

extension Request {
    /// As if it had been asked in another epoch.
    func asked(in epoch: Int) -> Request {
        Request(
            id: id,
            kind: kind,
            author: author,
            message: message,
            time: time,
            patience: patience,
            epoch: epoch,
            state: state,
            revision: revision,
            error: error,
            waitsFor: waitsFor,
            answer: answer
        )
    }
}

extension StoreModel {
    /// Refuses what, by a clock, was asked longer ago than whoever asked wanted to wait, and a minute.
    mutating func waitingRequests(refusingBy wallTime: Int) -> [Request] {
        for request in waitingRequests where wallTime - request.time > request.patience + 60_000 {
            try? end(request.id, as: .refused, error: "it was asked \(wallTime - request.time) ms ago, and that is over")
        }
        return waitingRequests
    }
}
