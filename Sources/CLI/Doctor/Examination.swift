internal import Glibc
internal import GroupSPI
internal import Manager
internal import PluginRPC
internal import Store
internal import Terminal

/// The checks of `doctor`, one after the other. One that fails does not keep the others from being made.
struct Examination {
    let store: Store
    let name: String
    let session: Session

    private var directory: String {
        store.path.lastIndex(of: "/").map { String(store.path[..<$0]) } ?? "."
    }

    func run(peer: Duration?) async -> [Finding] {
        // Every other check would wait for it, perhaps for ever.
        guard await DirectoryAnswer.comes(from: directory, within: commandTimeout) else {
            let words = "\(directory) does not answer within \(commandTimeout.goText)"
            let fix = "mend the server, or the network to it; managers have stepped down by themselves and come back"
            return [Finding("mount", .fatal, words, fix: fix)] + (await manager())
        }
        var findings = [mount()]
        // Without a directory there is nothing to look at.
        guard findings[0].level != .fatal || access(directory, W_OK) == 0 else { return findings }
        findings += nfs()
        findings.append(locks())
        findings.append(room())
        findings.append(await database())
        findings += await swarm()
        findings.append(await leadership())
        findings += await revisions()
        findings.append(await clocks())
        findings += await manager()
        if let peer { findings.append(await PeerProbe(directory: directory).run(within: peer)) }
        return findings
    }

    private func mount() -> Finding {
        do {
            let storage = try StorageClass(of: store.path)
            let place =
                "\(directory) is on \(storage.type) (\(storage.mountPoint)"
                + (storage.kind == .local ? ")" : " from \(storage.source); \(storage.options.joined(separator: ",")))")
            guard let hazard = storage.hazard else { return Finding("mount", .ok, place) }
            return Finding(
                "mount",
                .fatal,
                "\(place): \(hazard)",
                fix: "mount it with working locks, or name another directory with --store-dir"
            )
        } catch {
            // What could not be looked at may well be there.
            let fix =
                error.code == .directoryMissing
                ? "create or mount the directory, or name another one" : "mend the disk, the server or the rights"
            return Finding("mount", .fatal, error.message, fix: fix)
        }
    }

    /// What becomes of the locks of a host that is lost; nothing where the directory is not on NFS.
    private func nfs() -> [Finding] {
        guard let storage = try? StorageClass(of: store.path), storage.kind == .nfs else { return [] }
        let version = "NFS \(storage.nfsVersion ?? "of unknown version")"
        if storage.keepsLostLocks {
            return [
                Finding(
                    "nfs",
                    .warning,
                    "\(version): when a host is lost in the middle of a write, its lock stays until it is back, and nobody can "
                        + "lead meanwhile",
                    fix: "mount with vers=4.1 or later"
                )
            ]
        }
        guard let lease = storage.lockLease else { return [Finding("nfs", .ok, version)] }
        let text = "\(version): the server keeps the locks of a host that is lost for \(lease) s"
        guard lease > 30 else { return [Finding("nfs", .ok, text)] }
        return [
            Finding(
                "nfs",
                .warning,
                "\(text), and when it was lost in the middle of a write nobody can lead meanwhile",
                fix:
                    "on the server, lower lease-time and grace-time in the section [nfsd] of /etc/nfs.conf, and restart it"
            )
        ]
    }

    private func locks() -> Finding {
        switch LockProbe.run(nextTo: store.path) {
        case .works: Finding("locks", .ok, "a second process on this host is kept away by a lock")
        case .doesNotHold:
            Finding(
                "locks",
                .fatal,
                "a second process got a lock that the first one holds",
                fix: "mount with working locks"
            )
        case .noLocks(let reason):
            Finding(
                "locks",
                .fatal,
                "no lock can be taken: \(reason)",
                fix: "start the lock service, or mount with locks"
            )
        case .notTried:
            Finding(
                "locks",
                .warning,
                "no file can be created in \(directory), so no lock was tried",
                fix: "check its rights"
            )
        }
    }

    private func room() -> Finding {
        var status = statvfs()
        guard statvfs(directory, &status) == 0, status.f_blocks > 0 else {
            return Finding(
                "room",
                .warning,
                "\(directory): \(String(cString: strerror(errno)))",
                fix: "check the mount"
            )
        }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        let percent = Int(status.f_bavail * 100 / status.f_blocks)
        let text = "\(free / 1_000_000) MB (\(percent) %) free"
        guard free > 100_000_000, percent >= 3 else {
            return Finding("room", .warning, text, fix: "make room: a full disk refuses every write")
        }
        return Finding("room", .ok, text)
    }

    private func database() async -> Finding {
        do {
            let retention = try await store.retention(within: commandTimeout)
            let newest = try await store.summary(within: commandTimeout).newest
            guard access(store.path, W_OK) == 0, access(directory, W_OK) == 0 else {
                let reason = String(cString: strerror(errno))
                return Finding(
                    "database",
                    .fatal,
                    "\(store.path) can be read, but it, or the journal beside it, cannot be written: \(reason)",
                    fix: "check the mount, and the owner and mode of the file and of \(directory)"
                )
            }
            let removed = retention.removed > 0 ? ", \(retention.removed) removed by retention" : ""
            return Finding("database", .ok, "\(store.path): \(newest) revisions\(removed)")
        } catch {
            let isNew = error.code == .missing || error.code == .empty
            return Finding(
                "database",
                isNew ? .warning : .fatal,
                error.message,
                fix: isNew ? "start a manager: it creates the database" : "see the message; `verify` tells more"
            )
        }
    }

    /// Whether a copy of a swarm's history is up to date; nothing where the database is no copy.
    private func swarm() async -> [Finding] {
        guard let copy = try? await store.swarmCopy(within: commandTimeout) else { return [] }
        let text =
            "a copy of the swarm \(copy.cluster), read \(Timestamp(milliseconds: copy.readAt).age(at: session.now()))"
        guard let staleness = copy.staleness(at: session.now()) else { return [Finding("swarm", .ok, text)] }
        return [
            Finding(
                "swarm",
                .warning,
                "\(text): \(staleness)",
                fix: copy.trouble == nil
                    ? "start `infrakit-manager swarm` on this node" : "mend the Engine; see docker info, docker node ls"
            )
        ]
    }

    private func leadership() async -> Finding {
        do {
            let lease = try await store.lease(within: commandTimeout)
            guard lease.suspension == nil else {
                return Finding(
                    "leadership",
                    .fatal,
                    Suspension.sentence,
                    fix: "put the newer file back, or: infrakit-manager accept (docs/operations.md, Backup and restore)"
                )
            }
            guard lease.isHeld else {
                return Finding("leadership", .warning, "nobody leads", fix: "start a manager, or see its log")
            }
            let left = lease.expiresAt - session.now().milliseconds
            guard left > 0 else {
                let ago = Timestamp(milliseconds: lease.expiresAt).age(at: session.now())
                return Finding(
                    "leadership",
                    .warning,
                    "\(lease.holder) has not renewed its lease, which ran out \(ago)",
                    fix: "start another manager, or mend the one on \(lease.process.host)"
                )
            }
            return Finding("leadership", .ok, "\(lease.holder) leads in epoch \(lease.epoch)")
        } catch {
            return Finding("leadership", .warning, "not known: \(error.message)", fix: "mend the database first")
        }
    }

    private func revisions() async -> [Finding] {
        guard let summary = try? await store.summary(within: commandTimeout) else { return [] }
        var findings: [Finding] = []
        if !summary.pending.isEmpty {
            findings.append(
                Finding(
                    "pending",
                    .warning,
                    "the plugin has not confirmed: \(Self.list(summary.pending))",
                    fix: "see the leader's log; it keeps asking the plugin"
                )
            )
        }
        if !summary.rejected.isEmpty {
            findings.append(
                Finding(
                    "rejected",
                    .warning,
                    "the plugin refused, and nobody has committed again: \(Self.list(summary.rejected))",
                    fix: "`history` tells the plugin's words; commit a mended specification"
                )
            )
        }
        return findings
    }

    private static func list(_ numbers: [Int]) -> String {
        "revision\(numbers.count == 1 ? "" : "s") \(numbers.map(String.init).joined(separator: ", "))"
    }

    /// Compares this host's clock with the server's, by the time that it gives a new file.
    private func clocks() async -> Finding {
        let path = "\(directory)/.manager.clockprobe-\(getpid())"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            return Finding(
                "clocks",
                .warning,
                "not compared: no file can be created in \(directory)",
                fix: "check its rights"
            )
        }
        defer {
            close(file)
            unlink(path)
        }
        var byte: UInt8 = 0
        var status = stat()
        let before = session.now().milliseconds
        guard Glibc.write(file, &byte, 1) == 1, fsync(file) == 0, fstat(file, &status) == 0 else {
            return Finding(
                "clocks",
                .warning,
                "not compared: \(String(cString: strerror(errno)))",
                fix: "check the mount"
            )
        }
        let theirs = status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1_000_000
        // A disk that takes its time is no clock that is wrong.
        let skew = max(before - theirs, theirs - session.now().milliseconds)
        guard skew > 2000 else { return Finding("clocks", .ok, "this host and the file system agree within 2 s") }
        return Finding(
            "clocks",
            .warning,
            "this host and the file system differ by \(Duration.milliseconds(skew).goText): times in the history mislead "
                + "(leadership does not depend on them)",
            fix: "run an NTP client on both"
        )
    }

    private func manager() async -> [Finding] {
        guard let status = await LocalReplica.ask(name, in: session) else {
            return [
                Finding(
                    "manager",
                    .warning,
                    "no manager '\(name)' answers on this host",
                    fix: "start it, or give its --name; sockets are looked for in \(session.plugins.path)"
                )
            ]
        }
        let role = status.member("role")?.string ?? "unknown"
        let manager = Finding("manager", .ok, "\(status.member("id")?.string ?? name): \(role)")
        guard let plugin = status.member("plugin") else { return [manager] }
        let name = plugin.member("name")?.string ?? ""
        guard plugin.member("reachable")?.bool != true else {
            return [manager, Finding("plugin", .ok, "'\(name)' answers")]
        }
        return [
            manager,
            Finding(
                "plugin",
                .fatal,
                "'\(name)' does not answer: \(plugin.member("error")?.string ?? "")",
                fix: "start the group plugin, or give its name with --proxy-for-group"
            ),
        ]
    }
}
