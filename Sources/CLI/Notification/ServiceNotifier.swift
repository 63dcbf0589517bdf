internal import Glibc
internal import Logging

/// Tells the service manager what becomes of this program; nobody, when there is none.
struct ServiceNotifier: Sendable {
    private let socket: NotificationSocket?
    /// Nil when the service manager does not wait for pings.
    let watchdog: Duration?
    private let logger: Logger

    init(_ environment: ServiceEnvironment, logger: Logger) {
        socket = environment.socket
        watchdog = environment.watchdog
        self.logger = logger
        for trouble in environment.troubles {
            logger.warning("service notification not understood", metadata: ["error": "\(trouble)"])
        }
    }

    var isWanted: Bool { socket != nil }

    /// The program does its work. Its number goes along for one that was started by a script: then the script is what the
    /// service manager takes for the service.
    func ready(_ status: String? = nil) async {
        await send(["READY=1", "MAINPID=\(getpid())"] + (status.map { [Self.status($0)] } ?? []))
    }

    /// What to show a person, one sentence.
    func status(_ sentence: String) async { await send([Self.status(sentence)]) }

    func stopping() async { await send(["STOPPING=1"]) }

    func ping() async { await send(["WATCHDOG=1"]) }

    /// A line ends an assignment, and what others have said may have several.
    private static func status(_ sentence: String) -> String {
        "STATUS=" + sentence.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private func send(_ assignments: [String]) async {
        guard let socket else { return }
        let text = assignments.joined(separator: "\n")
        var code: Int32 = 0
        // A full queue is soon empty again; a second is long for that.
        for _ in 0..<50 {
            code = socket.send(text)
            guard code == EAGAIN || code == ENOBUFS, !Task.isCancelled else { break }
            try? await Task.sleep(for: .milliseconds(20), clock: .suspending)
        }
        guard code != 0 else { return }
        logger.warning(
            "service manager not notified",
            metadata: ["notification": "\(assignments[0])", "error": "\(String(cString: strerror(code)))"]
        )
    }
}
