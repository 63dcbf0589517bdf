internal import CLinux
internal import Glibc

/// What this process was started with, and whether it can work where it was started.
public enum ProcessStart {
    /// The words of the command line without the program's own name, as the kernel has given them to the process.
    ///
    /// `CommandLine.arguments` reads them from /proc and is empty where that is missing: a `rollback` would do nothing, and say that all
    /// is well.
    public static var words: [String] {
        var count: Int32 = 0
        guard let words = clinux_arguments(&count), count > 1 else { return [] }
        return (1..<Int(count)).compactMap { words[$0].map { String(cString: $0) } }
    }

    /// So many files the least of the programs opens, with room for what a library opens at any time.
    private static let leastFiles: Int64 = 64

    /// Why no program can work here, with what to do; nil when it can. Swift's runtime looks at its threads in /proc, and ends the
    /// process without a word when it cannot.
    public static var obstacle: String? {
        let files = clinux_most_descriptors()
        if files < leastFiles {
            return
                "this process may open \(files) files, and needs at least \(leastFiles). Raise the limit (ulimit -n)."
        }
        let descriptor = open("/proc/self/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return
                "/proc/self/stat cannot be read: \(String(cString: strerror(errno))). Mount /proc (mount -t proc proc /proc)."
        }
        close(descriptor)
        return nil
    }
}
