internal import Glibc

/// Held for the moments in which a server looks whether a socket is dead and puts its own in its place, or takes its own
/// away: two servers doing so at once could each take the other's new socket for the dead one.
///
/// It is a lock on the directory itself, so that no lock file stays behind: InfraKit's programs look at every file in
/// the directory, and the first generation complains about each one that is no socket.
struct DirectoryLock: ~Copyable {
    /// The directory, also to reach files in it by a short path.
    let descriptor: Int32

    /// Waits at most some seconds: the lock is only ever held for moments, unless by somebody else's program.
    init(_ path: SocketPath) throws(PluginServerError) {
        let descriptor = open(path.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw path.failure("open the directory \(path.directory)", errno) }
        var attempts = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let error = errno
            attempts += 1
            guard error == EWOULDBLOCK || error == EINTR, attempts < 1000 else {
                close(descriptor)
                throw path.failure("lock the directory \(path.directory)", error)
            }
            usleep(10_000)
        }
        self.descriptor = descriptor
    }

    /// A path to a file in the directory that is short however long the directory's own path is.
    func file(_ name: String) -> String { "/proc/self/fd/\(descriptor)/\(name)" }

    deinit {
        close(descriptor)
    }
}
