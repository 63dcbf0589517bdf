internal import BenchmarkSupport
internal import Glibc

/// What the kernel tells of processes.
enum ProcessTable {
    /// Every process that was started from a directory, or by such a process: they have it in their environment or among
    /// their words.
    static func processes(of directory: String) -> [pid_t] {
        pids.filter { pid in
            guard pid != getpid(), isAlive(pid) else { return false }
            return ["environ", "cmdline"].contains { file in
                (Files.read("/proc/\(pid)/\(file)") ?? "").contains("\(directory)/")
            }
        }
    }

    static func isAlive(_ pid: pid_t) -> Bool { fields(pid).map { $0[0] != "Z" } ?? false }

    static func children(of parent: pid_t) -> [pid_t] { pids.filter { fields($0)?[1] == "\(parent)" } }

    /// What a process has in memory, as `/proc/PID/smaps_rollup` tells it.
    static func memory(_ pid: pid_t) throws -> ProcessMemory {
        let rollup = Files.read("/proc/\(pid)/smaps_rollup") ?? ""
        func megabytes(_ name: String) throws -> Double {
            let line = rollup.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            guard let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap({ Double($0) }) else {
                throw BenchmarkError("process \(pid) has ended, or has no memory")
            }
            return kibibytes * 1024 / 1e6
        }
        return ProcessMemory(
            privateDirty: try megabytes("Private_Dirty"),
            proportional: try megabytes("Pss"),
            resident: try megabytes("Rss")
        )
    }

    /// The processor time that it has used, in seconds.
    static func processorTime(_ pid: pid_t) throws -> Double {
        guard let fields = fields(pid), let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw BenchmarkError("process \(pid) has ended")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    static func descriptors(_ pid: pid_t) -> Int { Files.names(in: "/proc/\(pid)/fd").count }

    private static var pids: [pid_t] { Files.names(in: "/proc").compactMap { pid_t($0) } }

    /// Of `/proc/PID/stat`, from the third on: state, parent, …
    private static func fields(_ pid: pid_t) -> [Substring]? {
        // The name in parentheses may hold blanks and parentheses itself; what follows does not.
        guard let stat = Files.read("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? fields : nil
    }
}
