package import NIOCore
internal import Synchronization

/// HTTP/1.1 connections to one server, kept alive between requests; each request in flight has one.
///
/// No request is sent twice. A caller that knows that a second try does no harm makes it itself.
package final class ConnectionPool: Sendable {
    private let loop: any EventLoop
    private let core: NIOLoopBoundBox<PoolCore>
    private let allClosed: EventLoopFuture<Void>
    private let isClosed = Atomic(false)

    /// Connects when the first request comes.
    ///
    /// - Parameters:
    ///   - authority: what the server is called in the header `Host`.
    ///   - group: one of its event loops runs all of the pool; it must outlive it.
    package init(_ address: ServerAddress, authority: String, settings: PoolSettings, on group: any EventLoopGroup) {
        loop = group.any()
        let promise = loop.makePromise(of: Void.self)
        allClosed = promise.futureResult
        core = .makeBoxSendingValue(
            PoolCore(address, authority: authority, settings: settings, on: loop, allClosed: promise),
            eventLoop: loop
        )
    }

    deinit { close() }

    package var isOpen: Bool { !isClosed.load(ordering: .acquiring) }

    /// Sends a request and waits for the whole answer; ends at once when the task is cancelled.
    package func exchange(_ request: Request) async throws(ExchangeError) -> Response {
        let cancellation = CancellationFlag()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let exchange = PendingRequest(request, cancellation, continuation)
                if loop.inEventLoop {
                    // Now and not with the next turn: nothing of the core is at work, as it resumes nobody in place.
                    core.value.begin(exchange)
                } else {
                    loop.execute { [core] in core.value.begin(exchange) }
                }
            }
        } onCancel: {
            cancellation.isCancelled = true
            loop.execute { [core] in core.value.abandon(cancellation) }
        }
        return try outcome.get()
    }

    /// How many wait for a connection.
    var waitingCount: Int {
        get async throws { try await loop.submit { [core] in core.value.waitingCount }.get() }
    }

    /// Begins to close; exchanges under way end with ``ExchangeError/poolClosed(wasSent:)``.
    package func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        loop.execute { [core] in core.value.close() }
    }

    /// Returns when the descriptors are closed; after ``close()``.
    package func closed() async {
        try? await allClosed.get()
    }
}
