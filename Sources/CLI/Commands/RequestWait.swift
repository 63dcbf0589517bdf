internal import Glibc
internal import GroupSPI
internal import Manager
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
            let rest = max(deadline - ContinuousClock.now, .milliseconds(20))
            try await Task.sleep(for: min(pause, rest), clock: .suspending)
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    static func identifier() -> String {
        RevisionDraft.makeToken().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension Author {
    /// The user of this process, as the user database names them; the environment could say anything.
    static func ofProcess() -> Author {
        let uid = getuid()
        return Author(user: name(of: uid), uid: Int(uid), host: ProcessIdentity.current().host)
    }

    private static func name(of uid: uid_t) -> String? {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &result) == 0, result != nil else { return nil }
        return String(cString: entry.pw_name)
    }
}
