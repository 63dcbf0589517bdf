import Glibc
import GroupSPI
import ManagerModels
import Platform
import Store
import Testing

@testable import Manager

/// Against real processes and files.
struct SystemTests {
    @Test func knowsThisProcess() throws {
        let here = ProcessIdentity.current()
        #expect(here.pid == Int(getpid()))
        #expect(here.startTime > 0)
        #expect(here.bootID.count == 36)
        // Of both: in another namespace of time the same process has another start time.
        let namespaces = try ["pid", "time"].map { kind in
            var link = [CChar](repeating: 0, count: 64)
            try #require(readlink("/proc/self/ns/\(kind)", &link, link.count - 1) > 0)
            return String(decoding: link.map { UInt8(bitPattern: $0) }, as: UTF8.self).filter(\.isNumber)
        }
        #expect(here.pidNamespace == namespaces.joined(separator: ":"))
        #expect(!here.host.isEmpty)
        #expect(ProcessTable.entry(here.pid)?.parent == getppid())
    }

    /// The name in `/proc/<pid>/stat` may look like the fields after it.
    @Test func readsProcessesWithAwkwardNames() async throws {
        try await withScratchDirectory { folder in
            let program = "\(folder)/a) S 1 (b"
            #expect(symlink("/bin/sleep", program) == 0)
            try await withProcess([program, "60"]) { pid in
                try await eventually("it has its name") { File.text("/proc/\(pid)/comm") == "a) S 1 (b\n" }
                #expect(ProcessTable.entry(pid)?.parent == getpid())
                #expect(ProcessTable.entry(pid)?.startTime ?? 0 > 0)
            }
        }
        #expect(ProcessTable.entry(0) == nil)
    }

    @Test func aHolderThatRunsIsNotGone() async throws {
        try await withProcess(["/bin/sleep", "60"]) { pid in
            let here = ProcessIdentity.current()
            #expect(!HolderProbe.isGone(.held(by: .here(pid)), seenFrom: here))
            // The pid is another process's by now.
            #expect(HolderProbe.isGone(.held(by: .here(pid, startTime: 1)), seenFrom: here))
            #expect(!HolderProbe.isGone(.held(by: .here(pid, startTime: 1)).next(holder: ""), seenFrom: here))
            // Ended, though not collected yet.
            let holder = ProcessIdentity.here(pid)
            kill(pid_t(pid), SIGKILL)
            try await eventually("it has ended") { ProcessTable.entry(pid)?.isAlive == false }
            #expect(HolderProbe.isGone(.held(by: holder), seenFrom: here))
        }
    }

    /// Want of descriptors, a `/proc` that hides others' processes: no reason to take a lease over.
    @Test func aHolderWhoseStateCannotBeReadIsNotGone() async throws {
        try await withProcess(["/bin/sleep", "60"]) { pid in
            #expect(HolderProbe.isRunning(.here(pid), read: { _ in nil }))
        }
        let here = ProcessIdentity.current()
        let gone = ProcessIdentity(
            host: here.host,
            bootID: here.bootID,
            pidNamespace: here.pidNamespace,
            pid: 999_999_999,
            startTime: 1
        )
        #expect(!HolderProbe.isRunning(gone, read: { _ in nil }))
    }

    @Test func knowsNothingOfOtherHostsAndNamespaces() {
        let here = ProcessIdentity.current()
        func other(_ bootID: String, _ namespace: String) -> ProcessIdentity {
            ProcessIdentity(host: here.host, bootID: bootID, pidNamespace: namespace, pid: 999_999_999, startTime: 1)
        }
        #expect(HolderProbe.isGone(.held(by: other(here.bootID, here.pidNamespace)), seenFrom: here))
        #expect(!HolderProbe.isGone(.held(by: other("another boot", here.pidNamespace)), seenFrom: here))
        #expect(!HolderProbe.isGone(.held(by: other(here.bootID, "another namespace")), seenFrom: here))
        #expect(!other("", "").canSee(other("", "")))
    }

    @Test func waitsForTheGuardOfAHolderThatIsGone() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/guard"
            let here = ProcessIdentity.current()
            let gone = Lease.held(by: .here(999_999_999, startTime: 1), guardLock: path)
            // Not knowing is not the same as free.
            #expect(!HolderProbe.isGone(gone, seenFrom: here))
            var lock: FileLock? = try FileLock(waitingFor: path)
            #expect(FileLock.holder(path) == .process(Int(getpid())))
            #expect(!HolderProbe.isGone(gone, seenFrom: here))
            withExtendedLifetime(lock) {}
            lock = nil
            #expect(FileLock.holder(path) == .nobody)
            #expect(HolderProbe.isGone(gone, seenFrom: here))
        }
    }

    /// A manager that was restarted shares the lock file with its predecessor: its own guard must not hold it back.
    @Test func doesNotWaitForItsOwnGuard() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/guard"
            let here = ProcessIdentity.current()
            let gone = Lease.held(by: .here(999_999_999, startTime: 1), guardLock: path)
            try await withLockHolder(path) { _ in
                #expect(HolderProbe.isGone(gone, seenFrom: here))
                // Seen from another manager it is somebody else's guard.
                #expect(!HolderProbe.isGone(gone, seenFrom: .here(1)))
            }
        }
    }

    @Test func aLockIsWaitedForAndEndsWithItsProcess() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/lock"
            try await withLockHolder(path) { pid in
                let waiter = Task.detached { try FileLock(waitingFor: path) }
                kill(pid_t(pid), SIGKILL)
                let lock = try await waiter.value
                #expect(FileLock.holder(path) == .process(Int(getpid())))
                withExtendedLifetime(lock) {}
            }
            #expect(throws: SettingsError.self) { try FileLock(waitingFor: "\(folder)/none/lock") }
        }
    }

    /// Somebody else may have put a link where the lock is to be: what it leads to is not written to.
    @Test func aLockIsNeverBehindALink() async throws {
        try await withScratchDirectory { folder in
            let (victim, path) = ("\(folder)/victim", "\(folder)/lock")
            write("precious", to: victim)
            for make in [symlink, link] {
                #expect(make(victim, path) == 0)
                let error = #expect(throws: SettingsError.self) { try FileLock(waitingFor: path) }
                #expect(error?.message.contains(" link") == true, "\(error?.message ?? "")")
                #expect(FileLock.holder(path) == .process(nil))
                unlink(path)
            }
            #expect(mkfifo(path, 0o600) == 0)
            #expect(throws: SettingsError.self) { try FileLock(waitingFor: path) }
            #expect(File.text(victim) == "precious")
        }
    }

    @Test func theGuardsLockIsNoFileBesideTheSockets() async throws {
        try await withScratchDirectory { folder in
            let path = GuardLock.path(of: "group", in: folder)
            // As builds before the first release have left it.
            write("1", to: "\(folder)/.group.guard")
            let lock = try GuardLock.wait(for: path)
            #expect(FileLock.holder(path) == .process(Int(getpid())))
            withExtendedLifetime(lock) {}
            var status = stat()
            #expect(lstat("\(folder)/.group.guard", &status) != 0)
            #expect(lstat("\(folder)/.group.lock", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR)
        }
    }

    @Test func theGuardsDirectoryIsNoLink() async throws {
        try await withScratchDirectory { folder in
            #expect(mkdir("\(folder)/victim", 0o700) == 0)
            #expect(symlink("\(folder)/victim", "\(folder)/.group.lock") == 0)
            #expect(throws: SettingsError.self) { try GuardLock.wait(for: GuardLock.path(of: "group", in: folder)) }
            #expect(rmdir("\(folder)/victim") == 0)
        }
    }

    /// Nobody knows what lies at a path that is only named.
    @Test func theGoManagersConfigurationHasALimit() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/global.config"
            write("{}", to: path)
            #expect(truncate(path, (64 << 20) + 4096) == 0)
            let error = #expect(throws: StoreError.self) { try ManagerRuntime.legacyConfig(folder) }
            #expect(
                error?.message.contains("is longer than \(JSONLimits.configuration.maximumBytes) bytes") == true,
                "\(error?.message ?? "")"
            )
        }
    }

    /// All followers of a host look at one moment when their leader ends: none takes another for its guard.
    @Test func askingWhoHoldsALockDisturbsNobodyWhoAsks() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/lock"
            write("1\n", to: path)
            let asking = open(path, O_RDWR | O_CLOEXEC)
            defer { close(asking) }
            #expect(flock(asking, LOCK_SH | LOCK_NB) == 0)
            #expect(FileLock.holder(path) == .nobody)
        }
    }

    @Test func aMissingFileIsToldFromOneThatCannotBeRead() async throws {
        try await withScratchDirectory { folder in
            func isMissing(_ path: String) -> Bool? {
                guard case .failure(let trouble) = TimedFileReader.contents(path, limit: 4096) else { return nil }
                return trouble.isMissing
            }
            #expect(isMissing("\(folder)/none") == true)
            #expect(isMissing(folder) == false)
            write("{}", to: "\(folder)/some")
            #expect(isMissing("\(folder)/some") == nil)
            let nowhere = try ManagerRuntime.legacyConfig(nil)
            let nothing = try ManagerRuntime.legacyConfig(folder)
            #expect(nowhere + nothing == [])
            // A mount that is not there yet is not the same as none.
            #expect(symlink("\(folder)/elsewhere", "\(folder)/global.config") == 0)
            let dangling = #expect(throws: StoreError.self) { try ManagerRuntime.legacyConfig(folder) }
            #expect(dangling?.message.contains("is a symbolic link to a file that does not exist") == true)
            #expect(unlink("\(folder)/global.config") == 0)
            #expect(mkdir("\(folder)/global.config", 0o700) == 0)
            defer { rmdir("\(folder)/global.config") }
            let error = #expect(throws: StoreError.self) { try ManagerRuntime.legacyConfig(folder) }
            #expect(error?.code == .io)
        }
    }
}
