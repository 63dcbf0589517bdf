extension NFSLab {
    /// What can befall a server and its clients.
    public enum Fault: Sendable, Hashable, CustomStringConvertible {
        /// The client's power goes.
        case kill(String)
        /// The client's kernel stands still.
        case pause(String)
        /// The client's network to the server is cut, silently.
        case cut(String)
        /// The server's kernel lives, and answers no NFS.
        case hang
        /// The server's power goes.
        case loss

        public var description: String {
            switch self {
            case .kill(let node): "kill \(node)"
            case .pause(let node): "pause \(node)"
            case .cut(let node): "cut \(node)"
            case .hang: "nfsd stop"
            case .loss: "kill server"
            }
        }
    }

    public func inflict(_ fault: Fault) async throws {
        switch fault {
        case .kill(let node): try await verb("kill", node)
        case .pause(let node): try await verb("pause", node)
        case .cut(let node): try await verb("cut", node)
        case .hang: try await verb("nfsd", "stop")
        case .loss:
            // One that goes right after a client has come may not have written that client down, and lets it reclaim nothing.
            try await Task.sleep(for: .seconds(6), clock: .suspending)
            try await verb("kill", Self.server)
        }
    }

    /// Ends a fault. A node that was killed has booted and mounted again when this returns; its programs are gone.
    public func remedy(_ fault: Fault) async throws {
        switch fault {
        case .kill(let node): try await verb("start", node)
        case .pause(let node): try await verb("resume", node)
        case .cut(let node): try await verb("heal", node)
        case .hang: try await verb("nfsd", "start")
        case .loss: try await verb("start", Self.server)
        }
    }
}
