public import GroupSPI
public import Store

extension StoreModel {
    public var waitingRequests: [Request] { requests.filter { $0.state == .waiting } }

    public func request(_ id: String) -> Request? { requests.first { $0.id == id } }

    public mutating func submit(_ request: Request) {
        guard self.request(request.id) == nil else { return }
        requests.append(request.with(request.state, epoch: lease.epoch))
    }

    public func sight(of id: String) -> RequestSight {
        let request = request(id)
        let number = request?.state == .done ? request?.revision : nil
        return RequestSight(request: request, revision: number.flatMap { revision($0) }, lease: lease)
    }

    /// Whoever asks lives.
    public mutating func renew(_ id: String) {
        guard let index = requests.firstIndex(where: { $0.id == id && $0.state.isOpen }) else { return }
        requests[index] = requests[index].with(requests[index].state, epoch: lease.epoch)
    }

    public mutating func note(_ notes: [String: String?], fence: Fence) throws(StoreError) {
        try require(fence)
        for (id, note) in notes {
            guard let index = requests.firstIndex(where: { $0.id == id && $0.state == .waiting }) else { continue }
            requests[index] = requests[index].with(.waiting, waitsFor: .some(note))
        }
    }

    /// - Returns: false when a leader has taken it up already.
    public mutating func cancel(_ id: String) -> Bool {
        (try? end(id, as: .cancelled)) != nil || request(id)?.state == .cancelled
    }

    public mutating func finish(
        _ id: String,
        as state: Request.State,
        error: String?,
        fence: Fence
    ) throws(StoreError) {
        try require(fence)
        try end(id, as: state, error: error)
    }

    public mutating func answer(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence
    ) throws(StoreError) {
        try require(fence)
        guard let index = requests.firstIndex(where: { $0.id == id && $0.answer == nil }),
            [.waiting, .done].contains(requests[index].state)
        else { return }
        requests[index] = requests[index].with(.done, answer: answer)
        ended[id] = lease.sequence
    }

    public mutating func removeRequests(
        endedBefore sequence: Int,
        fence: Fence
    ) throws(StoreError) -> RequestRemoval {
        try require(fence)
        let before = requests.count
        requests.removeAll { request in ended[request.id].map { $0 < sequence } ?? false }
        return RequestRemoval(removed: before - requests.count, sequence: lease.sequence)
    }

    /// Changes one as a copy is told to; nil leaves it as it is.
    mutating func update(
        _ id: String,
        _ change: (Request) -> (
            state: Request.State, revision: Int?, error: String?, answer: Result<GroupReply, GroupError>?
        )?
    ) {
        guard let index = requests.firstIndex(where: { $0.id == id }), let new = change(requests[index]) else { return }
        requests[index] = requests[index].with(
            new.state,
            revision: new.revision,
            error: new.error,
            answer: new.answer
        )
        if ![.waiting, .forwarded].contains(new.state) { ended[id] = lease.sequence }
    }

    /// - Throws: ``StoreError`` `conflict` when it has ended already.
    public mutating func end(
        _ id: String,
        as state: Request.State,
        revision: Int? = nil,
        error: String? = nil
    ) throws(StoreError) {
        guard let index = requests.firstIndex(where: { $0.id == id && $0.state == .waiting }) else {
            throw StoreError(.conflict, "the request has ended already")
        }
        requests[index] = requests[index].with(state, revision: revision, error: error)
        ended[id] = lease.sequence
    }
}

extension Request {
    fileprivate func with(
        _ state: State,
        epoch: Int? = nil,
        revision: Int? = nil,
        error: String? = nil,
        waitsFor: String?? = nil,
        answer: Result<GroupReply, GroupError>? = nil
    ) -> Request {
        Request(
            id: id,
            kind: kind,
            author: author,
            message: message,
            time: time,
            patience: patience,
            epoch: epoch ?? self.epoch,
            state: state,
            revision: revision ?? self.revision,
            error: error,
            waitsFor: waitsFor ?? self.waitsFor,
            answer: answer
        )
    }
}
