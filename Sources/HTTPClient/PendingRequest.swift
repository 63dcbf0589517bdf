/// A request whose caller waits.
struct PendingRequest: Sendable {
    typealias Outcome = Result<Response, ExchangeError>

    let request: Request
    let cancellation: CancellationFlag
    private let continuation: CheckedContinuation<Outcome, Never>

    init(_ request: Request, _ cancellation: CancellationFlag, _ continuation: CheckedContinuation<Outcome, Never>) {
        self.request = request
        self.cancellation = cancellation
        self.continuation = continuation
    }

    /// To be called once.
    func end(_ outcome: Outcome) { continuation.resume(returning: outcome) }
}
