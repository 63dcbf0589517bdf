import Glibc
import Platform
import Testing

struct LockedFileTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/ik-platform-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer {
            for name in File.names(in: folder) { unlink("\(folder)/\(name)") }
            rmdir(folder)
        }
        try body(folder)
    }

    @Test func manyShareAndOneExcludes() throws {
        try withFolder { folder in
            let (first, second) = (try LockedFile("\(folder)/lock", own: 1), try LockedFile("\(folder)/lock", own: 1))
            #expect(try first.tryLock(.shared) && second.tryLock(.shared))
            #expect(try !first.tryLock(.exclusive))
        }
    }

    /// A process that is being started has a copy of the descriptor: closing alone would leave the lock in it.
    @Test func theLastUseEndsTheLockWhereverCopiesLive() throws {
        try withFolder { folder in
            var holder: LockedFile? = try LockedFile("\(folder)/lock", own: 1)
            #expect(try holder?.tryLock(.exclusive) == true)
            let copies = (3..<64).map { dup($0) }.filter { $0 >= 0 }
            defer { for copy in copies { close(copy) } }
            let next = try LockedFile("\(folder)/lock", own: 1)
            #expect(try !next.tryLock(.exclusive))
            withExtendedLifetime(holder) {}
            holder = nil
            #expect(try next.tryLock(.exclusive))
        }
    }

    @Test func knowsThatItsFileWasRemovedOrReplaced() throws {
        try withFolder { folder in
            let file = try LockedFile("\(folder)/lock", own: 1)
            #expect(file.isInPlace)
            file.remove()
            #expect(!file.isInPlace)
            let other = try LockedFile("\(folder)/lock", own: 1)
            #expect(!file.isInPlace && other.isInPlace)
        }
    }

    @Test func whatIsNotMadeIsMissing() throws {
        try withFolder { folder in
            let error = #expect(throws: SystemError.self) { try LockedFile("\(folder)/lock", own: 1, isMade: false) }
            #expect(error?.code == ENOENT)
        }
    }

    @Test func tellsWhatWasWrittenLast() throws {
        try withFolder { folder in
            let file = try LockedFile("\(folder)/lock", own: 1)
            file.write("a longer text")
            file.write("7\n")
            #expect(try LockedFile("\(folder)/lock", own: 1).text == "7\n")
        }
    }
}
