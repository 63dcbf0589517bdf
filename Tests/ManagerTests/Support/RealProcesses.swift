import Glibc
import GroupSPI
import ManagerModels
import Platform
import Store
import Testing

@testable import Manager

/// Starts a program and passes its pid on; it is ended and collected after the body.
func withProcess<Result>(_ arguments: [String], _ body: (Int) async throws -> Result) async throws -> Result {
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

/// A program that holds the lock and has said so in it, until it is killed.
func withLockHolder<Result>(_ path: String, _ body: (Int) async throws -> Result) async throws -> Result {
    let script = "exec 9>>'\(path)'; flock 9; echo $$ > '\(path)'; exec sleep 60"
    return try await withProcess(["/bin/sh", "-c", script]) { pid in
        try await eventually("it is held") { FileLock.holder(path) == .process(pid) }
        return try await body(pid)
    }
}

extension Lease {
    static func held(by process: ProcessIdentity, guardLock: String = "", epoch: Int = 1) -> Lease {
        Lease(
            Candidate(
                id: ReplicaID("two")!,
                instance: "\(process.pid)/\(process.startTime)",
                process: process,
                socket: "",
                pluginSocket: "",
                guardLock: guardLock
            ),
            epoch: epoch,
            sequence: 1,
            ttl: 9000
        )
    }
}

extension ProcessIdentity {
    /// A process of this host.
    static func here(_ pid: Int, startTime: Int? = nil) -> ProcessIdentity {
        let here = ProcessIdentity.current()
        return ProcessIdentity(
            host: here.host,
            bootID: here.bootID,
            pidNamespace: here.pidNamespace,
            pid: pid,
            startTime: startTime ?? ProcessTable.entry(pid).map { Int($0.startTime) } ?? 0
        )
    }
}
