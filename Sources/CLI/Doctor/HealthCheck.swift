internal import Glibc
internal import GroupSPI
internal import Manager
internal import PluginRPC
internal import Store
internal import Terminal

/// The checks of `doctor`, one after the other. One that fails does not keep the others from being made.
struct HealthCheck {
    let store: Store
    let name: Identifier
    let session: Session

    private var directory: String {
        store.path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(store.path[..<$0]) } ?? "."
    }

    func run(peer: Duration?) async -> [Finding] {
        // Every other check would wait for it, perhaps for ever.
        guard await DirectoryAnswer.comes(from: directory, within: commandTimeout) else {
            let words = "\(directory) does not answer within \(commandTimeout.goText)"
            let fix =
                "repair the server, or the network to it; managers have stepped down and will lead again by themselves"
            return [Finding("mount", .fatal, words, fix: fix)] + (await manager())
        }
        var findings = [mount()]
        var isTrusted = findings[0].level != .fatal
        // Frozen (fsfreeze), it answers all questions, and keeps whoever writes waiting for ever.
        if isTrusted, !(await WriteAnswer.comes(from: directory, within: writeTimeout)) {
            let words = "\(directory) accepts no writes: one did not finish within \(writeTimeout.goText)"
            let fix = "thaw the file system (fsfreeze -u), or repair its disk"
            findings.append(Finding("writes", .fatal, words, fix: fix))
            isTrusted = false
        }
        // Without a directory there is nothing to look at.
        guard isTrusted || access(directory, W_OK) == 0 else { return findings }
        findings += nfs() + place()
        // What is refused is looked at, and only what was asked for writes there.
        if isTrusted {
            ProbeFile.removeLeftovers(in: "\(directory)/")
            findings.append(locks())
        }
        findings.append(room())
        findings.append(await database())
        findings += await swarm()
        findings.append(await leadership())
        findings += await revisions()
        if isTrusted { findings.append(clocks()) }
        findings += await stamps()
        if isTrusted { findings.append(await renewal()) }
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
                ? "create or mount the directory, or name another one"
                : "check the disk, the server and the permissions"
            return Finding("mount", .fatal, error.message, fix: fix)
        }
    }

    private var writeTimeout: Duration { .seconds(10) }

    /// Who else may change the database, and whether it outlives the host.
    private func place() -> [Finding] {
        var findings: [Finding] = []
        if let storage = try? StorageClass(of: store.path), ["tmpfs", "ramfs"].contains(storage.type) {
            let words = "\(directory) is in this host's memory: the history is lost when the host restarts"
            findings.append(Finding("memory", .warning, words, fix: "name a directory on a disk with --store-dir"))
        }
        var (folder, file) = (stat(), stat())
        guard stat(directory, &folder) == 0 else { return findings }
        func warn(_ words: String, _ fix: String) { findings.append(Finding("rights", .warning, words, fix: fix)) }
        if folder.st_mode & 0o002 != 0 {
            warn("every user can write to \(directory) and replace the database", "chmod o-w \(directory)")
        }
        guard stat(store.path, &file) == 0 else { return findings }
        if file.st_mode & 0o022 != 0 {
            warn("users other than the owner can write to \(store.path)", "chmod 0600 \(store.path)")
        }
        let own = geteuid() == 0 ? [0, folder.st_uid] : [geteuid()]
        if !own.contains(file.st_uid) {
            warn("\(store.path) belongs to user \(file.st_uid)", "chown it to the user that runs the managers")
        }
        return findings
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
                    "\(version): if a host fails during a write, its lock stays until the host is back, and nobody "
                        + "can lead until then",
                    fix: "mount with vers=4.1 or later"
                )
            ]
        }
        guard let lease = storage.lockLease else { return [Finding("nfs", .ok, version)] }
        let text = "\(version): the server keeps the locks of a failed host for \(lease) s"
        guard lease > 30 else { return [Finding("nfs", .ok, text)] }
        return [
            Finding(
                "nfs",
                .warning,
                "\(text); if it failed during a write, nobody can lead until then",
                fix:
                    "on the server, lower lease-time and grace-time in the section [nfsd] of /etc/nfs.conf, and "
                    + "restart it"
            )
        ]
    }

    private func locks() -> Finding {
        switch LockProbe.run(nextTo: store.path) {
        case .works: Finding("locks", .ok, "a lock keeps out a second process on this host")
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
                "cannot take a lock: \(reason)",
                fix: "start the lock service, or mount with locks"
            )
        case .notTried:
            Finding(
                "locks",
                .warning,
                "cannot create a file in \(directory), so locks were not tested",
                fix: "check its permissions"
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
            return Finding("room", .warning, text, fix: "free some space: writes fail when the disk is full")
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
                    "\(store.path) can be read, but the file or its journal cannot be written: \(reason)",
                    fix: "check the mount, and the owner and mode of the file and of \(directory)"
                )
            }
            if let damage = try await store.firstDamage(within: commandTimeout) {
                return Finding(
                    "database",
                    .fatal,
                    damage,
                    fix:
                        "run `infrakit-manager verify`: it lists the damage and the next steps"
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
                fix: isNew ? "start a manager: it creates the database" : Self.fix(of: error)
            )
        }
    }

    private static func fix(of error: StoreError) -> String {
        error.code == .lost
            ? "put the database or a backup back; no manager creates a new one by itself"
            : "see the message; `infrakit-manager verify` shows details"
    }

    /// Whether a copy of a swarm's history is up to date; nothing where the database is no copy.
    private func swarm() async -> [Finding] {
        guard let copy = try? await store.replicaInfo(within: commandTimeout) else { return [] }
        let text =
            copy.cluster.isEmpty
            ? "the state of the swarm has not been read yet"
            : "a copy of the swarm \(copy.cluster), \(copy.reading(at: session.now()))"
        if let trouble = copy.trouble {
            let fix = "fix the problem in the message; see docker info, docker node ls, and docs/swarm.md"
            return [Finding("swarm", .fatal, "\(text): \(trouble)", fix: fix)]
        }
        guard let staleness = copy.staleness(at: session.now()) else { return [Finding("swarm", .ok, text)] }
        let fix = "start `infrakit-manager swarm` on this node"
        return [Finding("swarm", .warning, "\(text): \(staleness)", fix: fix)]
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
            if let copy = try await store.replicaInfo(within: commandTimeout), copy.hidesLeader(at: session.now()) {
                return Finding("leadership", .warning, "not known to this node", fix: "see the check `swarm`")
            }
            guard lease.isHeld else {
                return Finding("leadership", .warning, "nobody leads", fix: "start a manager, or see its log")
            }
            let sighting = await LeaseSighting.look(at: lease, in: store, session)
            if let clock = sighting.clockText {
                return Finding(
                    "leadership",
                    .warning,
                    "\(lease.holder) leads in epoch \(lease.epoch), and \(clock): times in the history are misleading",
                    fix: "run an NTP client on both hosts; leadership does not depend on it"
                )
            }
            if case .still = sighting, lease.expiresAt > session.now().milliseconds {
                return Finding(
                    "leadership",
                    .warning,
                    "\(lease.holder) did not renew its lease while doctor watched it for one TTL",
                    fix: "start another manager, or repair the one on \(lease.process.host)"
                )
            }
            let left = lease.expiresAt - session.now().milliseconds
            guard left > 0 else {
                let ago = Timestamp(milliseconds: lease.expiresAt).age(at: session.now())
                return Finding(
                    "leadership",
                    .warning,
                    "\(lease.holder) has not renewed its lease, which ran out \(ago)",
                    fix: "start another manager, or repair the one on \(lease.process.host)"
                )
            }
            return Finding("leadership", .ok, "\(lease.holder) leads in epoch \(lease.epoch)")
        } catch {
            return Finding("leadership", .warning, "not known: \(error.message)", fix: "fix the database first")
        }
    }

    private func revisions() async -> [Finding] {
        if let untold = try? await store.readerView(within: commandTimeout).untold {
            await AcknowledgedOutcomes.settle(untold, in: store)
        }
        guard let summary = try? await store.summary(within: commandTimeout) else { return [] }
        var findings: [Finding] = []
        if !summary.pending.isEmpty {
            findings.append(
                Finding(
                    "pending",
                    .warning,
                    "not confirmed by the plugin yet: \(Self.list(summary.pending))",
                    fix: "see the leader's log; the leader keeps retrying"
                )
            )
        }
        if !summary.rejected.isEmpty {
            findings.append(
                Finding(
                    "rejected",
                    .warning,
                    "refused by the plugin and not replaced since: \(Self.list(summary.rejected))",
                    fix:
                        "`infrakit-manager history` shows the plugin's error; commit a corrected specification, or "
                        + "acknowledge it: "
                        + summary.rejected.prefix(1).map { "infrakit-manager ack \($0)" }.joined()
                )
            )
        }
        return findings
    }

    private static func list(_ numbers: [Int]) -> String {
        "revision\(numbers.count == 1 ? "" : "s") \(numbers.map(String.init).joined(separator: ", "))"
    }

    /// Compares this host's clock with the server's, by the time that it gives a new file.
    private func clocks() -> Finding {
        ProbeFile.with(.clock, in: "\(directory)/", clocks)
    }

    private func clocks(_ path: String) -> Finding {
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            return Finding(
                "clocks",
                .warning,
                "not compared: cannot create a file in \(directory)",
                fix: "check its permissions"
            )
        }
        defer { close(file) }
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
        guard skew > 2000 else {
            return Finding(
                "clocks",
                .ok,
                "the clocks of this host and the file system agree within 2 s"
            )
        }
        return Finding(
            "clocks",
            .warning,
            "the clocks of this host and the file system differ by \(Duration.milliseconds(skew).goText): times in "
                + "the history are misleading (leadership does not depend on them)",
            fix: "run an NTP client on both hosts"
        )
    }

    /// Whether a leader's clock was wrong, as the history's own times show; nothing when they do not.
    private func stamps() async -> [Finding] {
        guard let latest = try? await store.latestTime(within: commandTimeout) else { return [] }
        let before = latest.time - latest.newestTime
        let ahead = latest.time - session.now().milliseconds
        let fix =
            "nothing to do: deadlines and ages do not use this clock; an NTP client prevents it from happening again"
        if before > 2000 {
            let text =
                "revision \(latest.number) has a later time than the newest one, by "
                + "\(Duration.milliseconds(before).goText): a leader's clock was set"
            return [Finding("times", .warning, text, fix: fix)]
        }
        guard ahead > 60_000 else { return [] }
        let text =
            "revision \(latest.number) has a time that is \(Duration.milliseconds(ahead).goText) ahead of this "
            + "host's clock"
        return [Finding("times", .warning, text, fix: fix)]
    }

    /// What a renewal takes here, and whether the lease's times leave room for it.
    private func renewal() async -> Finding {
        do {
            let took = try await RenewalProbe.run(nextTo: store.path)
            let ttl = try? await store.lease(within: commandTimeout).ttl
            let current = ttl.flatMap { $0 > 0 ? Duration.milliseconds($0) : nil } ?? ElectionSettings.standardTTL
            let needed = ElectionSettings.ttl(whenRenewalsTake: took)
            let text = "a lease renewal takes \(Duration.milliseconds(max(1, took.milliseconds)).goText)"
            guard needed > current else {
                return Finding("renewal", .ok, "\(text); a --lease-ttl of \(needed.goText) or more is enough")
            }
            return Finding(
                "renewal",
                .warning,
                "\(text): too long for the current --lease-ttl of \(current.goText); perhaps nobody can lead",
                fix:
                    "start all managers with --lease-ttl \(needed.goText) or more, or repair the connection to the "
                    + "server"
            )
        } catch {
            // It is what a change does as well: where this fails, none can be stored.
            let fix = "free space or inodes, or fix the permissions or the disk; no change can be stored until then"
            return Finding("renewal", .fatal, "not possible: \(error.message)", fix: fix)
        }
    }

    private func manager() async -> [Finding] {
        let replica = await LocalReplica.ask(name, in: session)
        if replica.isSilent {
            return [
                Finding(
                    "manager",
                    .warning,
                    "the manager '\(name)' on this host accepts connections but does not answer in time",
                    fix: "check the load of the host, and whether the process was stopped (SIGSTOP)"
                )
            ]
        }
        guard let status = replica.answer else {
            return [
                Finding(
                    "manager",
                    .warning,
                    "no manager '\(name)' answers on this host",
                    fix: "start it, or give its --name; its socket is expected in \(session.plugins.path)"
                )
            ]
        }
        let role = status.member("role")?.string ?? "unknown"
        let manager = Finding("manager", .ok, "\(status.member("id")?.identifier ?? name): \(role)")
        var findings = [manager]
        if let slow = status.member("store")?.member("slow")?.string {
            let fix = "see the check `renewal` for the --lease-ttl to use"
            findings.append(Finding("manager", .warning, slow, fix: fix))
        }
        if let jump = status.member("clock")?.member("set")?.string {
            findings.append(
                Finding("manager", .warning, jump, fix: "run an NTP client; times in the history are misleading")
            )
        }
        guard let plugin = status.member("plugin") else { return findings }
        let name = plugin.member("name")?.string ?? ""
        guard plugin.member("reachable")?.bool != true else {
            guard let slow = plugin.member("slow")?.string else {
                return findings + [Finding("plugin", .ok, "'\(name)' answers")]
            }
            let fix = "raise --lease-ttl on all managers as recommended, or make the plugin free groups faster"
            return findings + [Finding("plugin", .warning, slow, fix: fix)]
        }
        let error = plugin.member("error")?.string ?? ""
        let fix = "start the group plugin, or give its name with --proxy-for-group"
        return findings + [Finding("plugin", .fatal, "'\(name)' does not answer: \(error)", fix: fix)]
    }
}
