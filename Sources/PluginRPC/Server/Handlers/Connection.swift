internal import Glibc
internal import GroupSPI
internal import Logging
internal import NIOCore

/// What the handlers of one accepted connection share.
struct Connection: Sendable {
    let eventLoop: any EventLoop
    let dispatcher: Dispatcher
    let caller: Caller
    let configuration: PluginServerConfiguration
    let logger: Logger
    /// Told when the connection has something to do, and when not.
    let activity: ConnectionActivity
    let memory: RequestMemory
    let replies: ReplyMemory
    /// Gives the connection's place back to the registry; later calls do nothing.
    let release: @Sendable () -> Void

    func makeAccount() -> RequestAccount { RequestAccount(memory, uid: caller.uid.map { uid_t($0) }) }

    func parser(_ wireProtocol: WireProtocol) -> RequestParser {
        RequestParser(
            wireProtocol: wireProtocol,
            limits: configuration.limits,
            servesManager: dispatcher.plugin.manager != nil
        )
    }
}

extension Connection {
    func logLostPatience(_ reason: ReadDeadline.Reason) {
        switch reason {
        case .idle: logger.debug("closing a connection: nothing was asked for long")
        case .message: logger.info("closing a connection: a request was not complete in time")
        case .reader: logger.info("closing a connection: the client does not read its replies")
        }
    }

    func logStalledReader() {
        logger.info("closing a connection: the client does not read its replies, and others wait for the memory")
    }
}

/// Sent down a connection's pipeline when the server stops: finish what is in flight, then close.
enum ServerIsStopping: Sendable {
    /// Answers still go out.
    case gracefully
    /// The time is up: cancel and close.
    case now
}
