import CLinux
import Glibc
import GroupSPI
import Logging
import NIOPosix
import Testing

@testable import PluginRPC

/// The socket file: who may see it, what it replaces, and when it goes.
@Suite struct ServerSocketFileTests {
    private func start(
        _ path: String,
        _ configuration: PluginServerConfiguration = .init(),
        logger: Logger = LogKeeper().logger
    ) async throws -> PluginServer {
        let group = ScriptedGroup()
        return try await PluginServer.start(
            ServedPlugin(name: "group", group: group, manager: nil),
            at: path,
            configuration: configuration,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
    }

    @Test func aUsersNameIsWholeOrNone() {
        var name = [CChar](repeating: 1, count: 5)
        #expect(clinux_user_name(0, &name, name.count) == 0)
        #expect(name == [0x72, 0x6F, 0x6F, 0x74, 0])
        #expect(clinux_user_name(0, &name, 4) == ENAMETOOLONG)
        #expect(clinux_user_name(3_999_999_999, &name, name.count) != 0)
    }

    /// Who serves a path that nobody can call serves nobody.
    @Test func bothEndsTakeTheSamePaths() async throws {
        try await withServerDirectory { directory in
            for length in [102, 103, 104, 107, 108] {
                let name = String(repeating: "n", count: length - directory.utf8.count - 1)
                let path = "\(directory)/\(name)"
                #expect(path.utf8.count == length)
                let trouble = PluginDirectory(path: directory).trouble(of: Identifier(name))
                #expect((trouble == nil) == (length <= 103))
                guard length <= 103 else {
                    let error = await #expect(throws: PluginServerError.self) { try await start(path) }
                    #expect(error?.code == .pathTooLong)
                    #expect(trouble?.contains("has \(length) bytes; at most 103") == true)
                    continue
                }
                let server = try await start(path)
                let client = PluginClient.of(.socket(path: path), .auto)
                #expect(try await client.reply(to: .inspect) == .groups([]))
                await client.shutdown()
                await server.stop(grace: .zero)
            }
        }
    }

    private func answers(_ path: String) async throws -> Bool {
        let client = try await RawClient.connect(to: path)
        defer { client.close() }
        client.send(#"{"method":"Group.InspectGroups","params":[{}],"id":1}"#)
        return try await client.textOrEnd { $0.hasSuffix("\n") }.hasPrefix(#"{"id":1,"result""#)
    }

    /// Leaves a socket file behind that nobody answers on, as a killed process does.
    private func makeDeadSocket(_ path: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        _ = withUnixAddress(path) { bind(descriptor, $0, $1) }
        listen(descriptor, 1)
        close(descriptor)
    }

    private func inode(_ path: String) -> ino_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_ino : nil
    }

    /// When an entry of the directory was last made, moved or removed.
    private func changeTime(_ directory: String) -> [Int]? {
        var status = stat()
        guard stat(directory, &status) == 0 else { return nil }
        return [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    @Test func theSocketIsPrivateAndNothingElseIsInItsDirectory() async throws {
        try await withServerDirectory { directory in
            let server = try await start("\(directory)/new/deep/group")
            #expect(permissions("\(directory)/new/deep/group") == 0o600)
            #expect(permissions("\(directory)/new/deep") == 0o700)
            #expect(permissions("\(directory)/new") == 0o700)
            #expect(directoryEntries("\(directory)/new/deep") == ["group"])
            await server.stop(grace: .zero)
            #expect(directoryEntries("\(directory)/new/deep") == [])
        }
    }

    @Test func theModesCanBeChosenAndAnExistingDirectoryKeepsItsOwn() async throws {
        try await withServerDirectory { directory in
            chmod(directory, 0o711)
            let wide = PluginServerConfiguration.with(\.socketMode, 0o666).with(\.directoryMode, 0o750)
            let server = try await start("\(directory)/sub/group", wide)
            #expect(permissions("\(directory)/sub/group") == 0o666)
            #expect(permissions("\(directory)/sub") == 0o750)
            #expect(permissions(directory) == 0o711)
            await server.stop(grace: .zero)
            #expect(permissions("\(directory)/sub") == 0o750)
        }
    }

    @Test func aDeadSocketIsReplaced() async throws {
        try await withServerDirectory { directory in
            let path = "\(directory)/group"
            makeDeadSocket(path)
            #expect(permissions(path) != nil)
            let server = try await start(path)
            #expect(try await answers(path))
            #expect(directoryEntries(directory) == ["group"])
            await server.stop(grace: .zero)
        }
    }

    @Test func aLiveSocketIsNeverTaken() async throws {
        try await withServerDirectory { directory in
            let path = "\(directory)/group"
            let first = try await start(path)
            let before = inode(path)
            let directoryBefore = changeTime(directory)
            let error = await #expect(throws: PluginServerError.self) { try await start(path) }
            #expect(error?.code == .socketInUse)
            #expect(error?.message.contains(path) == true)
            #expect(inode(path) == before)
            #expect(changeTime(directory) == directoryBefore, "not even moved for a moment")
            #expect(try await answers(path))
            #expect(directoryEntries(directory) == ["group"])
            await first.stop(grace: .zero)
        }
    }

    @Test func ofManyServersThatRaceForADeadSocketExactlyOneWins() async throws {
        try await withServerDirectory { (directory) async throws in
            let path = "\(directory)/group"
            makeDeadSocket(path)
            let servers = await withTaskGroup(of: PluginServer?.self) { tasks in
                for _ in 0..<16 { tasks.addTask { try? await start(path) } }
                var servers: [PluginServer] = []
                for await server in tasks { if let server { servers.append(server) } }
                return servers
            }
            #expect(servers.count == 1)
            #expect(try await answers(path))
            #expect(directoryEntries(directory) == ["group"])
            for server in servers { await server.stop(grace: .zero) }
            #expect(directoryEntries(directory) == [])
        }
    }

    @Test func somethingElseUnderTheNameIsLeftAlone() async throws {
        try await withServerDirectory { directory in
            let path = "\(directory)/group"
            close(open(path, O_CREAT | O_WRONLY, 0o644))
            let file = await #expect(throws: PluginServerError.self) { try await start(path) }
            #expect(file?.code == .wrongKind)
            let below = await #expect(throws: PluginServerError.self) { try await start("\(path)/group") }
            #expect(below?.code == .wrongKind || below?.code == .system)
            #expect(permissions(path) == 0o644)
            symlink("elsewhere", "\(directory)/link")
            await #expect(throws: PluginServerError.self) { try await start("\(directory)/link") }
            #expect(directoryEntries(directory) == ["group", "link"])
        }
    }

    @Test func theLongestPathWorksAndALongerOneIsRefusedWithTheLimit() async throws {
        try await withServerDirectory { directory in
            let fits = "\(directory)/" + String(repeating: "x", count: 102 - directory.utf8.count)
            #expect(fits.utf8.count == 103)
            let server = try await start(fits)
            #expect(SocketLife(probing: fits) == .alive)
            await server.stop(grace: .zero)
            let error = await #expect(throws: PluginServerError.self) { try await start(fits + "x") }
            #expect(error?.code == .pathTooLong)
            #expect(error?.message.contains("103") == true)
            #expect(error?.message.contains(fits) == true)
        }
    }

    @Test func aFileThatIsNoLongerOursIsNotRemoved() async throws {
        try await withServerDirectory { directory in
            let path = "\(directory)/group"
            let server = try await start(path)
            let usurper = usurp(path)
            defer { close(usurper) }
            let taken = inode(path)
            await server.stop(grace: .zero)
            #expect(inode(path) == taken)
            #expect(SocketLife(probing: path) == .alive)
        }
    }

    /// A program that cares for nobody takes the name and uses it itself.
    ///
    /// - Returns: the descriptor at which it listens.
    private func usurp(_ path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        _ = withUnixAddress(path + "-usurper") { bind(descriptor, $0, $1) }
        listen(descriptor, 1)
        rename(path + "-usurper", path)
        return descriptor
    }

    @Test func aFileThatWasTakenAwayIsMadeAnewAndItsDirectoryToo() async throws {
        try await withServerDirectory { directory in
            let path = "\(directory)/sub/group"
            let server = try await start(path, .with(\.socketMode, 0o660))
            let early = try await RawClient.connect(to: path)
            defer { early.close() }
            // What waits to be accepted when its socket is left is lost with it.
            early.send(#"{"method":"Group.InspectGroups","params":[{}],"id":0}"#)
            #expect(try await early.lines(1).count == 1)
            unlink(path)
            try await eventually { permissions(path) != nil }
            #expect(try await answers(path))
            #expect(permissions(path) == 0o660)
            unlink(path)
            rmdir("\(directory)/sub")
            try await eventually { permissions(path) != nil }
            #expect(try await answers(path))
            // Who was connected before still is.
            early.send(#"{"method":"Group.InspectGroups","params":[{}],"id":1}"#)
            #expect(try await early.lines(2).last?.hasPrefix(#"{"id":1,"result""#) == true)
            await server.stop(grace: .zero)
            #expect(directoryEntries("\(directory)/sub") == [])
        }
    }

    @Test func aNameThatAnotherHasTakenIsServedAgainWhenThatHasEnded() async throws {
        try await withServerDirectory { directory in
            let path = "\(directory)/group"
            let logs = LogKeeper()
            let server = try await start(path, logger: logs.logger)
            let usurper = usurp(path)
            let taken = inode(path)
            try await eventually { logs.text.contains("cannot be made anew") }
            #expect(inode(path) == taken)
            #expect(logs.text.contains("another process answers"))
            close(usurper)
            try await eventually { inode(path) != taken }
            #expect(try await answers(path))
            await server.stop(grace: .zero)
            #expect(directoryEntries(directory) == [])
        }
    }

    @Test func aStoppedServerCanBeFollowedByAnother() async throws {
        try await withServerDirectory { directory in
            for _ in 0..<5 {
                let server = try await start("\(directory)/group")
                #expect(try await answers("\(directory)/group"))
                await server.stop(grace: .zero)
                await server.stop(grace: .zero)
            }
        }
    }

    @Test func onlyTheAllowedMayCallBesidesRootAndOneself() {
        #expect(Acceptor.mayCall(7, allowed: nil, own: 5))
        #expect(Acceptor.mayCall(nil, allowed: nil, own: 5))
        #expect(!Acceptor.mayCall(7, allowed: [], own: 5))
        #expect(!Acceptor.mayCall(nil, allowed: [7], own: 5))
        #expect(Acceptor.mayCall(7, allowed: [7], own: 5))
        #expect(Acceptor.mayCall(5, allowed: [], own: 5))
        #expect(Acceptor.mayCall(0, allowed: [], own: 5))
    }
}
