internal import Glibc
internal import Platform

/// A process of this host that has SQLite's lock on a file.
///
/// The kernel's list of locks tells it (proc_locks(5)). To ask with F_GETLK, a descriptor of the file would have to be opened, and
/// closing that would drop this process's own locks on it.
struct LockHolder: CustomStringConvertible {
    let pid: Int
    /// Nil when it cannot be looked at.
    let name: String?
    /// It was stopped (SIGSTOP, Ctrl-Z), and keeps its lock until it goes on.
    let isStopped: Bool

    var description: String {
        "pid \(pid)" + (name.map { ", \($0)" } ?? "")
            + (isStopped ? ", which is stopped; resume it with kill -CONT \(pid)" : "")
    }

    /// Who keeps others from the file now: a writer before those who read. Nil also when another host has the lock.
    static func other(of path: String) -> LockHolder? {
        var status = stat()
        guard stat(path, &status) == 0, let locks = File.text("/proc/locks") else { return nil }
        let device = UInt(status.st_dev)
        // As gnu_dev_major(3) has it.
        let major = (device >> 8 & 0xFFF) | (device >> 32 & ~0xFFF)
        let minor = (device & 0xFF) | (device >> 12 & ~0xFF)
        let found = locks.split(separator: "\n").compactMap { line -> (isWriter: Bool, pid: Int)? in
            // "7: POSIX  ADVISORY  READ 4711 08:01:131 1073741826 1073742335"; who waits has "->" behind the number.
            let words = line.split(separator: " ")
            guard words.count == 8, words[1] == "POSIX", let pid = Int(words[4]), pid > 0, pid != getpid(),
                let start = Int(words[6]), words[7] == "EOF" || (Int(words[7]) ?? 0) >= Self.range.lowerBound,
                start <= Self.range.upperBound
            else { return nil }
            let file = words[5].split(separator: ":")
            guard file.count == 3, UInt(file[0], radix: 16) == major, UInt(file[1], radix: 16) == minor,
                UInt(file[2]) == UInt(status.st_ino)
            else { return nil }
            return (words[3] == "WRITE", pid)
        }
        return (found.first(where: \.isWriter) ?? found.first).map { LockHolder(pid: $0.pid) }
    }

    /// https://sqlite.org/lockingv3.html: the pending byte, the reserved byte, and 510 shared ones.
    private static let range = 0x4000_0000...0x4000_0000 + 511

    private init(pid: Int) {
        self.pid = pid
        name = File.text("/proc/\(pid)/comm").map { String($0.prefix { $0 != "\n" }) }
        // "4711 (name) T …": the name may hold anything.
        let state = File.text("/proc/\(pid)/stat").flatMap { text in
            text.lastIndex(of: ")").flatMap { text[$0...].dropFirst(2).first }
        }
        isStopped = state == "T" || state == "t"
    }
}
