internal import CLinux
import Glibc
internal import GroupSPI
internal import Platform

/// Starts a program in a session of its own.
struct ProcessSpawner: Sendable {
    /// The file to execute: an absolute path, or one relative to `directory`.
    let program: String
    let arguments: [String]
    let environment: [Identifier: String]
    let directory: String?
    /// Takes what the program writes to its standard output and error.
    let log: Int32

    /// - Returns: the number of the process, a child of this one that leads its own session and process group.
    /// - Throws: ``SystemError``; the C library also reports here that the program could not be executed.
    func start() throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        try check(posix_spawn_file_actions_init(&actions))
        defer { posix_spawn_file_actions_destroy(&actions) }
        try check(posix_spawnattr_init(&attributes))
        defer { posix_spawnattr_destroy(&attributes) }

        try check(posix_spawn_file_actions_adddup2(&actions, log, 1))
        try check(posix_spawn_file_actions_adddup2(&actions, 1, 2))
        try check(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0))
        // The plugin's sockets and its lock must end with the plugin, not with what it started.
        try check(clinux_spawn_addclosefrom(&actions, 3))
        if let directory { try check(clinux_spawn_addchdir(&actions, directory)) }

        // A service ignores or blocks signals for its own reasons, and both would be inherited: the program would not
        // end at SIGTERM.
        var every = sigset_t()
        var none = sigset_t()
        sigfillset(&every)
        sigemptyset(&none)
        try check(posix_spawnattr_setsigdefault(&attributes, &every))
        try check(posix_spawnattr_setsigmask(&attributes, &none))
        let flags = Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) | clinux_spawn_setsid
        try check(posix_spawnattr_setflags(&attributes, flags))

        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var pid: pid_t = 0
        let result = Self.withStrings(arguments) { arguments in
            Self.withStrings(variables) { variables in
                posix_spawn(&pid, program, &actions, &attributes, arguments, variables)
            }
        }
        try check(result)
        return pid
    }

    private func check(_ code: Int32) throws(SystemError) {
        guard code == 0 else { throw SystemError("posix_spawn", program, code: code) }
    }

    /// Calls `body` with the strings as C wants them: pointers, and a null at the end.
    private static func withStrings<Result>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}
