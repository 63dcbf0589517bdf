import Foundation
import Testing

@testable import Store

/// A copy of the database while others write it.
@Suite struct CopyTests {
    private func filled(_ directory: String) async throws -> Leader {
        let leader = try await lead(try await openStore(in: directory))
        for index in 1...60 { try await leader.append([.set("group-\(index % 5)", index)], message: "number \(index)") }
        return leader
    }

    /// A writer that waits for nobody: whoever copies must not hold a lock.
    private func writer(_ path: String) throws -> Connection { try rawConnection(path, busyTimeout: 0) }

    /// `spec` is far from `lease` in the file.
    private func change(_ connection: Connection, _ round: Int) throws {
        try connection.execute("BEGIN IMMEDIATE")
        try connection.execute("UPDATE lease SET sequence = sequence + 1")
        try connection.execute("UPDATE revision SET message = 'round \(round)' WHERE number = \(round)")
        try connection.execute("COMMIT")
    }

    /// A copy in one transaction would keep the writer out; one in parts without comparing them would be of no moment.
    @Test(arguments: [0, 1, 3, 100]) func writersGoOnMeanwhile(_ disturbed: Int) async throws {
        try await withScratch { directory in
            let path = try await filled(directory).store.path
            let (copier, writer) = (try rawConnection(path), try writer(path))
            var passes = 0
            try copier.copyFile(to: "\(directory)/copy.db", .sound) { moment in
                // Before and after so many passes: nobody is in a transaction.
                if passes < disturbed { try change(writer, 20 + passes) }
                if moment == .hasRead { passes += 1 }
            }
            // One that nothing disturbs is enough; when there is none, the last is made under a lock.
            #expect(passes == min(disturbed + 1, Connection.unlockedPasses))
            #expect(try contents(of: "\(directory)/copy.db") == contents(of: path))
        }
    }

    /// Pages that a writer takes back after they were copied: the counter in the file is as it was.
    @Test func whatIsTakenBackIsNotCopied() async throws {
        try await withScratch { directory in
            let path = try await filled(directory).store.path
            let before = try contents(of: path)
            let (copier, writer) = (try rawConnection(path), try writer(path))
            // Writes into the file before it commits.
            try writer.execute("PRAGMA cache_size = 1")
            try writer.execute("PRAGMA cache_spill = 1")
            var passes = 0
            try copier.copyFile(to: "\(directory)/copy.db", .sound) { moment in
                passes += moment == .hasRead ? 1 : 0
                if moment == .willRead, passes == 0 {
                    try writer.execute("BEGIN IMMEDIATE")
                    try writer.execute("UPDATE spec SET body = zeroblob(3000)")
                    #expect(try contents(of: path) != before, "nothing was written yet")
                } else if passes == 1, writer.isInTransaction {
                    try writer.rollBack()
                }
            }
            #expect(passes == 2)
            #expect(try contents(of: path) == before && contents(of: "\(directory)/copy.db") == before)
        }
    }

    /// Where the file grows and shrinks, and pages become free and are used again.
    @Test func theFileMayGrowAndShrink() async throws {
        try await withScratch { directory in
            let path = try await filled(directory).store.path
            let (copier, writer) = (try rawConnection(path), try writer(path))
            let scripts = [
                "CREATE TABLE more (a)", "INSERT INTO more VALUES (zeroblob(400000))", "DROP TABLE more", "VACUUM",
                "CREATE TABLE less (a)", "INSERT INTO less VALUES (zeroblob(200000))", "DROP TABLE less",
            ]
            var step = 0
            try copier.copyFile(to: "\(directory)/copy.db", .sound) { _ in
                guard step < scripts.count else { return }
                try writer.execute(scripts[step])
                step += 1
            }
            #expect(step == scripts.count)
            #expect(try contents(of: "\(directory)/copy.db") == contents(of: path))
        }
    }

    /// Damage is refused, unless it is what is looked for; a page that belongs to nothing may be anything.
    @Test func damageIsKeptOrRefused() async throws {
        try await withScratch { directory in
            let path = try await filled(directory).store.path
            let raw = try rawConnection(path)
            try raw.execute("CREATE TABLE more (a)")
            try raw.execute("INSERT INTO more VALUES (zeroblob(40000))")
            try raw.execute("DROP TABLE more")
            raw.close()
            var bytes = try contents(of: path)
            let size = 4096
            // The last page is free: the table was the last that was made.
            bytes[bytes.count - 2000] ^= 1
            try bytes.write(to: URL(fileURLWithPath: path))
            let store = Store.openForCommand(StoreConfiguration(path: path))
            try await store.backup(to: "\(directory)/free.db", within: patience)
            let copy = Store.openForCommand(StoreConfiguration(path: "\(directory)/free.db"))
            #expect(try await copy.verifyFile(within: patience) == [])

            bytes[2 * size + 3000] ^= 1
            try bytes.write(to: URL(fileURLWithPath: path))
            let error = try await failure { try await store.backup(to: "\(directory)/copy.db", within: patience) }
            #expect(error.code == .corrupt && error.message.contains("page 3 does not"), "\(error)")
            #expect(try names(in: directory) == ["free.db", "manager.db"])
            try await store.backup(to: "\(directory)/damaged.db", asItIs: true, within: patience)
            #expect(try contents(of: "\(directory)/damaged.db") == bytes)
        }
    }

    /// Whoever finds the file locked is told by whom.
    @Test func theHolderOfALockIsNamed() async throws {
        try await withScratch { directory in
            let path = try await filled(directory).store.path
            let holder = Process()
            let (input, output) = (Pipe(), Pipe())
            holder.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            holder.arguments = [
                "-c",
                """
                import fcntl, os, sys
                file = os.open(sys.argv[1], os.O_RDWR)
                fcntl.lockf(file, fcntl.LOCK_EX, 1, 0x40000001)
                print(flush=True)
                sys.stdin.read()
                """,
                path,
            ]
            holder.standardInput = input
            holder.standardOutput = output
            try holder.run()
            _ = output.fileHandleForReading.readData(ofLength: 1)
            let pid = holder.processIdentifier
            let configuration = StoreConfiguration(path: path, busyTimeout: 0)
            var error = try await failure {
                try await Store.openForCommand(configuration).cancelRequest("r", within: patience)
            }
            #expect(error.code == .busy)
            #expect(error.message.contains("locked by another process (pid \(pid), python3); nothing"), "\(error)")
            kill(pid, SIGSTOP)
            var status = siginfo_t()
            #expect(waitid(P_PID, id_t(pid), &status, WSTOPPED | WNOWAIT) == 0)
            error = try await failure {
                try await Store.openForCommand(configuration).cancelRequest("r", within: patience)
            }
            #expect(error.message.contains("which is stopped; resume it with kill -CONT \(pid)"), "\(error)")
            kill(pid, SIGCONT)
            try input.fileHandleForWriting.close()
            holder.waitUntilExit()
            #expect(LockHolder.other(of: path) == nil)
        }
    }
}
