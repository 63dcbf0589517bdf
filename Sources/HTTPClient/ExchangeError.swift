/// Why a request got no answer.
package enum ExchangeError: Error {
    /// The caller gave up.
    case cancelled
    /// The pool was closed. Without `wasSent` the server has seen nothing of the request.
    case poolClosed(wasSent: Bool)
    /// There is no connection; the server has seen nothing of the request.
    case noConnection(any Error)
    /// The connection was gone before the whole request was written, so the server cannot have acted on it.
    case notSent(any Error)
    /// The server closed the connection before its answer was complete.
    case closedByServer
    /// The connection broke after the request was sent, or what came back is no HTTP.
    case broken(any Error)
    /// The answer is larger than the pool takes.
    case tooLarge
}
