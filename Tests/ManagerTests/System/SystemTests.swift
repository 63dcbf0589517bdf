import Glibc
import ManagerModels
import Store
import Testing

@testable import Manager

/// Against real processes and files.
struct SystemTests {
    /// Starts a program and returns its pid; it is ended and collected after the body.
    private func withProcess<Result>(_ arguments: [String], _ body: (Int) async throws -> Result) async throws -> Result
    {
        var pid = pid_t()
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        try #require(posix_spawn(&pid, arguments[0], nil, nil, &pointers, environ) == 0)
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        return try await body(Int(pid))
    }

    private func lease(_ process: ProcessIdentity, guardLock: String = "") -> Lease {
        Lease(
            Claimant(
                id: "two",
                instance: "i",
                process: process,
                socket: "",
                pluginSocket: "",
                guardLock: guardLock
            ),
            epoch: 1,
            sequence: 1,
            ttl: 9000
        )
    }

    private func identity(_ pid: Int, startTime: Int? = nil) -> ProcessIdentity {
        let here = ProcessIdentity.current()
        return ProcessIdentity(
            host: here.host,
            bootID: here.bootID,
            pidNamespace: here.pidNamespace,
            pid: pid,
            startTime: startTime ?? ProcFS.process(pid)?.startTime ?? 0
        )
    }

    @Test func knowsThisProcess() throws {
        let here = ProcessIdentity.current()
        #expect(here.pid == Int(getpid()))
        #expect(here.startTime > 0)
        #expect(here.bootID.count == 36)
        #expect(!here.pidNamespace.isEmpty)
        #expect(!here.host.isEmpty)
        #expect(ProcFS.process(here.pid)?.parent == Int(getppid()))
    }

    /// The name in `/proc/<pid>/stat` may look like the fields after it.
    @Test func readsProcessesWithAwkwardNames() async throws {
        try await withScratchDirectory { folder in
            let program = "\(folder)/a) S 1 (b"
            #expect(symlink("/bin/sleep", program) == 0)
            try await withProcess([program, "60"]) { pid in
                try await eventually("it has its name") { ProcFS.read("/proc/\(pid)/comm") == "a) S 1 (b\n" }
                #expect(ProcFS.process(pid)?.parent == Int(getpid()))
                #expect(ProcFS.process(pid)?.startTime ?? 0 > 0)
            }
        }
        #expect(ProcFS.process(0) == nil)
    }

    @Test func aHolderThatRunsIsNotGone() async throws {
        try await withProcess(["/bin/sleep", "60"]) { pid in
            let here = ProcessIdentity.current()
            #expect(!HolderProbe.isGone(lease(identity(pid)), seenFrom: here))
            // The pid is another process's by now.
            #expect(HolderProbe.isGone(lease(identity(pid, startTime: 1)), seenFrom: here))
            #expect(!HolderProbe.isGone(lease(identity(pid, startTime: 1)).next(holder: ""), seenFrom: here))
            // Ended, though not collected yet.
            let holder = identity(pid)
            kill(pid_t(pid), SIGKILL)
            try await eventually("it has ended") { ProcFS.process(pid)?.state == "Z" }
            #expect(HolderProbe.isGone(lease(holder), seenFrom: here))
        }
    }

    @Test func knowsNothingOfOtherHostsAndNamespaces() {
        let here = ProcessIdentity.current()
        func other(_ bootID: String, _ namespace: String) -> ProcessIdentity {
            ProcessIdentity(host: here.host, bootID: bootID, pidNamespace: namespace, pid: 999_999_999, startTime: 1)
        }
        #expect(HolderProbe.isGone(lease(other(here.bootID, here.pidNamespace)), seenFrom: here))
        #expect(!HolderProbe.isGone(lease(other("another boot", here.pidNamespace)), seenFrom: here))
        #expect(!HolderProbe.isGone(lease(other(here.bootID, "another namespace")), seenFrom: here))
        #expect(!other("", "").canSee(other("", "")))
    }

    @Test func waitsForTheGuardOfAHolderThatIsGone() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/guard"
            let here = ProcessIdentity.current()
            let gone = lease(identity(999_999_999, startTime: 1), guardLock: path)
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
            let gone = lease(identity(999_999_999, startTime: 1), guardLock: path)
            let script = "exec 9>>'\(path)'; flock 9; echo $$ > '\(path)'; exec sleep 60"
            try await withProcess(["/bin/sh", "-c", script]) { pid in
                try await eventually("a child of ours holds it") { FileLock.holder(path) == .process(pid) }
                #expect(HolderProbe.isGone(gone, seenFrom: here))
                // Seen from another manager it is somebody else's guard.
                #expect(!HolderProbe.isGone(gone, seenFrom: identity(1)))
            }
        }
    }

    @Test func aLockIsWaitedForAndEndsWithItsProcess() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/lock"
            let script = "exec 9>>'\(path)'; flock 9; echo $$ > '\(path)'; exec sleep 60"
            try await withProcess(["/bin/sh", "-c", script]) { pid in
                try await eventually("it is held") { FileLock.holder(path) == .process(pid) }
                let waiter = Task.detached { try FileLock(waitingFor: path) }
                kill(pid_t(pid), SIGKILL)
                let lock = try await waiter.value
                #expect(FileLock.holder(path) == .process(Int(getpid())))
                withExtendedLifetime(lock) {}
            }
            #expect(throws: SettingsError.self) { try FileLock(waitingFor: "\(folder)/none/lock") }
        }
    }

    @Test func aMissingFileIsToldFromOneThatCannotBeRead() async throws {
        try await withScratchDirectory { folder in
            func isMissing(_ path: String) -> Bool? {
                guard case .failure(let trouble) = SlowFile.contents(path) else { return nil }
                return trouble.isMissing
            }
            #expect(isMissing("\(folder)/none") == true)
            #expect(isMissing(folder) == false)
            write("{}", to: "\(folder)/some")
            #expect(isMissing("\(folder)/some") == nil)
            let nowhere = try ManagerRuntime.heritage(nil)
            let nothing = try ManagerRuntime.heritage(folder)
            #expect(nowhere + nothing == [])
            #expect(mkdir("\(folder)/global.config", 0o700) == 0)
            defer { rmdir("\(folder)/global.config") }
            let error = #expect(throws: StoreError.self) { try ManagerRuntime.heritage(folder) }
            #expect(error?.code == .io)
        }
    }
}
