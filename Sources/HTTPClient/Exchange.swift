/// A request whose caller waits.
struct Exchange: Sendable {
    typealias Outcome = Result<Answer, ExchangeError>

    let request: Request
    let ticket: Ticket
    private let continuation: CheckedContinuation<Outcome, Never>

    init(_ request: Request, _ ticket: Ticket, _ continuation: CheckedContinuation<Outcome, Never>) {
        self.request = request
        self.ticket = ticket
        self.continuation = continuation
    }

    /// To be called once.
    func end(_ outcome: Outcome) { continuation.resume(returning: outcome) }
}
