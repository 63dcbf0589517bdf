import Glibc
import GroupSPI
import NFSLabSupport
import Testing

/// What the programs make of real NFS mounts.
@Suite(.serialized, .nfsLab) struct NFSMountTests {
    @Test func mountsAreTriedAndRefused() async throws {
        try await NFSWorld.with { world in
            let (c1, c2) = (try world.host("c1"), try world.host("c2"))
            for host in [c1, c2] {
                // What version 3 needs beside the kernel.
                let started = await host.run("sh", "-c", "rpcbind -w; rpc.statd --no-notify")
                try #require(started.status == 0, "\(started)")
            }
            let made = await c1.run("mkdir", "/shared/store")
            try #require(made.status == 0, "\(made)")
            try await goodMounts(c1)
            try await refusedMounts(c1)
            try await locksBetweenHosts(c1, c2)
            try await recoveredLocks(c1)
            try await writeAheadLog(c1, world.lab)
        }
    }

    private func goodMounts(_ host: NFSHost) async throws {
        for (options, level, words) in [
            ("vers=4.2", "ok", "NFS 4.2: the server keeps the locks of a failed host for 10 s"),
            ("vers=4.1", "ok", "NFS 4.1: the server keeps the locks of a failed host for 10 s"),
            ("vers=4.0", "ok", "NFS 4.0: the server keeps the locks of a failed host for 10 s"),
            (
                "vers=3", "warning",
                "NFS 3: if a host fails during a write, its lock stays until the host is back"
            ),
        ] {
            try await host.withMount(options) { directory in
                let doctor = try await host.command("doctor", "-o", "json", "--store-dir", directory)
                let findings = try doctor.findings()
                #expect(doctor.status == 0, "\(doctor)")
                #expect(findings["mount"]?.level == "ok" && findings["locks"]?.level == "ok", "\(doctor)")
                #expect(findings["nfs"]?.level == level, "\(doctor)")
                #expect(findings["nfs"]?.message.hasPrefix(words) == true, "\(doctor)")
            }
        }
    }

    private func refusedMounts(_ host: NFSHost) async throws {
        for (options, hazard) in [
            ("vers=4.2,soft", "'soft'"), ("vers=4.2,softerr", "'softerr'"), ("vers=3,soft", "'soft'"),
            ("vers=3,nolock", "nolock"), ("vers=3,local_lock=all", "'local_lock=all'"),
            ("vers=3,local_lock=posix", "'local_lock=posix'"),
        ] {
            try await host.withMount(options) { directory in
                async let running = host.command("doctor", "-o", "json", "--store-dir", directory)
                let os = try await host.command("os", "--store-dir", directory)
                let doctor = try await running
                let mount = try doctor.findings()["mount"]
                #expect(doctor.status == 1 && mount?.level == "fatal", "\(options): \(doctor)")
                #expect(mount?.message.contains(hazard) == true || hazard == "nolock", "\(options): \(doctor)")
                #expect(os.status == 5 && os.errors.contains("two leaders could act"), "\(options): \(os)")
                let names = await host.run("ls", "-A", directory)
                #expect(names.status == 0 && names.output.isEmpty, "\(options): \(names)")
            }
        }
    }

    /// With `doctor --peer` on both hosts: through the server, and through locks that each host keeps for itself.
    private func locksBetweenHosts(_ c1: NFSHost, _ c2: NFSHost) async throws {
        for (options, level, words) in [
            ("vers=4.2", "ok", "locks work between"), ("vers=3", "ok", "locks work between"),
            ("vers=3,nolock", "fatal", "got a lock that this host holds"),
        ] {
            try await c1.withMount(options) { directory in
                try await c2.withMount(options) { _ in
                    async let first = c1.command("doctor", "--peer", "40s", "-o", "json", "--store-dir", directory)
                    async let second = c2.command("doctor", "--peer", "40s", "-o", "json", "--store-dir", directory)
                    let peers = try [try await first, try await second].map { try $0.findings()["peer"] }
                    #expect(
                        peers.contains { $0?.level == level && $0?.message.contains(words) == true },
                        "\(options): \(peers)"
                    )
                    #expect(level == "fatal" || peers.allSatisfy { $0?.level == "ok" }, "\(options): \(peers)")
                }
            }
        }
    }

    /// A parameter of the kernel's module that has a client go on with locks that the server has given to others.
    private func recoveredLocks(_ host: NFSHost) async throws {
        let file = "/sys/module/nfs/parameters/recover_lost_locks"
        let set = await host.run("sh", "-c", "echo Y >\(file)")
        try #require(set.status == 0, "\(set)")
        let doctor = try await host.command("doctor", "-o", "json", "--store-dir", "/shared/store")
        #expect(try doctor.findings()["mount"]?.message.contains("\(file) is Y (write N to it)") == true, "\(doctor)")
        let os = try await host.command("os", "--store-dir", "/shared/store")
        #expect(os.status == 5 && os.errors.contains(file), "\(os)")
        let unset = await host.run("sh", "-c", "echo N >\(file)")
        try #require(unset.status == 0, "\(unset)")
    }

    /// A database that somebody has put into the mode that two hosts cannot share: nobody touches it.
    private func writeAheadLog(_ host: NFSHost, _ lab: NFSLab) async throws {
        let manager = try host.launch(["os", "--store-dir", "/shared/store"])
        try await eventually("the manager has made the database", within: .seconds(60)) {
            manager.lines.contains { $0.event == "listening" }
        }
        try await manager.send("TERM")
        try await eventually("the manager has ended", within: .seconds(60)) { manager.status != nil }
        let changed = await lab.run(
            ["sqlite3", "/shared/store/manager.db", "PRAGMA journal_mode=WAL"],
            on: NFSLab.server
        )
        try #require(changed.output == "wal\n", "\(changed)")
        let before = await lab.run(["sh", "-c", "ls -A /shared/store; md5sum /shared/store/*"], on: NFSLab.server)
        for words in [["os"], ["history"], ["status"], ["rollback", "1"]] {
            let finished = try await host.command(words + ["--store-dir", "/shared/store"])
            #expect(finished.status == 5 && finished.errors.contains("journal mode 'wal'"), "\(finished)")
        }
        let doctor = try await host.command("doctor", "-o", "json", "--store-dir", "/shared/store")
        let database = try doctor.findings()["database"]
        #expect(doctor.status == 1 && database?.message.contains("journal mode 'wal'") == true, "\(doctor)")
        let after = await lab.run(["sh", "-c", "ls -A /shared/store; md5sum /shared/store/*"], on: NFSLab.server)
        #expect(before.output == after.output, "\(before)\n\(after)")
    }
}

extension NFSHost {
    /// Mounts the server's export with these options, and gives the store directory there.
    fileprivate func withMount(_ options: String, _ body: (String) async throws -> Void) async throws {
        let export = options.hasPrefix("vers=3") ? "server:/export" : "server:/"
        let mounted = await run("sh", "-c", "mkdir -p /root/tried && mount -t nfs -o \(options) \(export) /root/tried")
        try #require(mounted.status == 0, "\(options): \(mounted)")
        try await body("/root/tried/store")
        let unmounted = await run("umount", "/root/tried")
        try #require(unmounted.status == 0, "\(options): \(unmounted)")
    }
}

extension LabResult {
    /// Of `doctor -o json`, by check.
    fileprivate func findings() throws -> [String: (level: String, message: String)] {
        let findings = try json().elements.map { finding in
            (
                finding.at("check")?.string ?? "",
                (level: finding.at("level")?.string ?? "", message: finding.at("message")?.string ?? "")
            )
        }
        return Dictionary(findings) { first, _ in first }
    }
}
