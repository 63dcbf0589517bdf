public import GroupSPI
public import Store

extension StoreModel {
    public var waitingRequests: [Request] { requests.filter { $0.state == .waiting } }

    public func request(_ id: String) -> Request? { requests.first { $0.id == id } }

    public mutating func submit(_ request: Request) { requests.append(request) }

    /// - Returns: false when a leader has taken it up already.
    public mutating func cancel(_ id: String) -> Bool {
        (try? end(id, as: .cancelled)) != nil
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
    }

    public mutating func removeRequests(before time: Int, fence: Fence) throws(StoreError) {
        try require(fence)
        requests.removeAll { $0.state != .waiting && $0.time < time }
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
    }
}

extension Request {
    fileprivate func with(
        _ state: State,
        revision: Int? = nil,
        error: String? = nil,
        answer: Result<GroupReply, GroupError>? = nil
    ) -> Request {
        Request(
            id: id,
            kind: kind,
            author: author,
            message: message,
            time: time,
            patience: patience,
            state: state,
            revision: revision ?? self.revision,
            error: error,
            answer: answer
        )
    }
}
