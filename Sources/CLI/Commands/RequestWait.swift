internal import Glibc
internal import Store

/// A request to the leader, from its submission to its end.
struct RequestWait {
    let store: Store
    let timeout: Duration

    enum End {
        /// Carried out, or refused.
        case answered(Request)
        /// The leader has taken it up and is still at it.
        case underWay(Request)
        /// Nobody has taken it up; it was taken back.
        case nobody
    }

    func run(_ request: Request) async throws -> End {
        try await store.submit(request, within: commandTimeout)
        let deadline = ContinuousClock.now + timeout
        var pause = Duration.milliseconds(50)
        while true {
            if let found = try await store.request(request.id, within: commandTimeout) {
                if found.state == .done || found.state == .refused { return .answered(found) }
                if ContinuousClock.now >= deadline {
                    if found.state == .accepted { return .underWay(found) }
                    // Taken back, so that it does not surprise anybody later; unless a leader was faster.
                    if try await store.cancelRequest(request.id, within: commandTimeout) { return .nobody }
                }
            }
            try await Task.sleep(for: min(pause, max(deadline - ContinuousClock.now, .milliseconds(20))))
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    static func identifier() -> String {
        RevisionDraft.makeToken().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension Author {
    /// The user of this process.
    static func ofProcess(_ session: Session) -> Author {
        let uid = Int(getuid())
        return Author(user: session.environment["USER"] ?? (uid == 0 ? "root" : nil), uid: uid, host: HostName.current)
    }
}

enum HostName {
    static var current: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
