internal import CLinux
internal import Glibc
internal import Manager
internal import Store

/// Tries, together with the same command on another host, whether a lock that one of them holds keeps the other away.
///
/// The first to come locks a file, notes its name beside it and waits; the second finds the lock taken and notes its own
/// name, which the first confirms. When both believe that they hold the lock, each finds the other's name where only its
/// own should be.
struct PeerProbe {
    let directory: String

    private var path: String { "\(directory)/\(ProbeFile.peerName)" }

    func run(within timeout: Duration) async -> Finding {
        let identity = ProcessIdentity.current()
        let own = "\(identity.host) \(identity.bootID) \(Request.makeID())"
        let deadline = ContinuousClock.now + timeout
        let file = clinux_open_own(path, 1, O_RDWR | O_CREAT, 0o600)
        guard file >= 0 else {
            errno = -file
            return trouble("cannot open \(path)")
        }
        defer { close(file) }
        guard lock(file) else {
            guard errno == EAGAIN || errno == EACCES else {
                defer { unlink(path) }
                return trouble("cannot lock \(path)")
            }
            return await second(own, until: deadline)
        }
        let files = ProbeFile([notes, path])
        defer { files.remove() }
        // What an earlier run has left.
        unlink(notes)
        return await first(own, file, until: deadline)
    }

    private func lock(_ file: Int32) -> Bool {
        var range = flock()
        range.l_type = Int16(F_WRLCK)
        range.l_whence = Int16(SEEK_SET)
        range.l_start = 0
        range.l_len = 1
        return fcntl(file, F_SETLK, &range) == 0
    }

    /// Holds the lock, and waits for the other's name.
    private func first(_ own: String, _ file: Int32, until deadline: ContinuousClock.Instant) async -> Finding {
        guard append("holds \(own)\n", creating: true) else { return trouble("cannot write \(path)") }
        while ContinuousClock.now < deadline {
            let lines = read()
            if let other = lines.first(where: { $0.hasPrefix("holds ") && $0 != "holds \(own)" }) {
                return Finding(
                    "peer",
                    .fatal,
                    "\(host(other)) got a lock that this host holds: two leaders could act",
                    fix: "mount with working locks on both hosts"
                )
            }
            if let other = lines.first(where: { $0.hasPrefix("sees ") && $0.hasSuffix(" \(own)") }) {
                guard append("meets \(other.dropFirst(5))\n") else { return trouble("cannot write \(path)") }
                // The file is removed at the end; the other may take a moment to read it.
                try? await Task.sleep(for: .seconds(2), clock: .suspending)
                return agreement(with: other, own)
            }
            try? await Task.sleep(for: .milliseconds(200), clock: .suspending)
        }
        return Finding(
            "peer",
            .warning,
            "no other host has joined",
            fix: "start `infrakit-manager doctor --peer 1m` on another host within this time"
        )
    }

    /// Was kept away by the lock, and says so.
    private func second(_ own: String, until deadline: ContinuousClock.Instant) async -> Finding {
        var seen: Set<String> = []
        while ContinuousClock.now < deadline {
            let lines = read()
            // A line may be left of an earlier run that was killed: only who answers is there.
            for holder in lines where holder.hasPrefix("holds ") && seen.insert(holder).inserted {
                guard append("sees \(own) \(holder.dropFirst(6))\n") || errno == ENOENT else {
                    return trouble("cannot write \(path)")
                }
            }
            if let met = lines.first(where: { $0.hasPrefix("meets \(own) ") }) {
                return agreement(with: "holds " + met.dropFirst("meets \(own) ".count), own)
            }
            try? await Task.sleep(for: .milliseconds(200), clock: .suspending)
        }
        return Finding(
            "peer",
            .warning,
            "another process holds the lock and does not answer",
            fix: "try again, on both hosts within one minute"
        )
    }

    private func agreement(with line: String, _ own: String) -> Finding {
        // The same boot: a second process of this host proves nothing about another.
        let words = line.split(separator: " ")
        guard words.count > 2, words[2] != own.split(separator: " ").dropFirst().first else {
            return Finding(
                "peer",
                .warning,
                "the other `doctor --peer` ran on this host, too",
                fix: "run it on the other host that shares the database"
            )
        }
        return Finding("peer", .ok, "locks work between \(host(line)) and this host")
    }

    private func host(_ line: String) -> String {
        line.split(separator: " ").dropFirst().first.map(String.init) ?? "another host"
    }

    /// Opened anew each time: over NFS, what another host has written is certain to be seen only after an open. Through
    /// another descriptor than the lock's it must not be: closing that would drop the lock. So the lines are in a file of
    /// their own.
    private var notes: String { "\(path).notes" }

    /// - Parameter creating: only who holds the lock creates the file, as it removes that: else one that came late would
    ///   leave it behind.
    private func append(_ line: String, creating: Bool = false) -> Bool {
        let file = clinux_open_own(notes, 1, O_WRONLY | (creating ? O_CREAT : 0) | O_APPEND, 0o600)
        guard file >= 0 else {
            errno = -file
            return false
        }
        defer { close(file) }
        let bytes = Array(line.utf8)
        return Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
    }

    private func read() -> [String] {
        let file = clinux_open_own(notes, 1, O_RDONLY, 0)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func trouble(_ what: String) -> Finding {
        Finding(
            "peer",
            .warning,
            "\(what): \(String(cString: clinux_open_trouble(errno)))",
            fix: "check the permissions of \(directory)"
        )
    }
}
