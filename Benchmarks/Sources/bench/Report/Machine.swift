internal import BenchmarkSupport
internal import CSQLite
internal import Glibc
internal import Store

/// Where the figures come from.
enum Machine {
    static func report() throws -> Report {
        var names = utsname()
        uname(&names)
        let kernel = withUnsafePointer(to: &names.release) {
            $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
        let storage = try Scratch.storage
        let syncs = try Sample(syncs())
        var report = Report("machine", "The machine")
        report.add(
            Table(
                ["", ""],
                [
                    ["kernel", kernel],
                    ["processor", field("model name", of: "/proc/cpuinfo")],
                    ["cores", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))"],
                    ["memory", field("MemTotal", of: "/proc/meminfo")],
                    ["file system", "\(storage.type) on \(storage.source), at \(storage.mountPoint)"],
                    ["a write of 4 KiB and fsync", "\(Unit.milliseconds.text(syncs.p50)) (p50)"],
                    ["SQLite", String(cString: sqlite3_libversion())],
                    ["load when it began", Files.read("/proc/loadavg").map { String($0.prefix { $0 != " " }) } ?? ""],
                ]
            )
        )
        return report
    }

    private static func field(_ name: String, of path: String) -> String {
        let line = (Files.read(path) ?? "").split(separator: "\n").first { $0.hasPrefix(name) }
        let value = line?.split(separator: ":", maxSplits: 1).last ?? "unknown"
        return value.split(separator: " ").joined(separator: " ")
    }

    /// What the disk takes at least for anything durable, in milliseconds.
    private static func syncs() throws -> [Double] {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let descriptor = open("\(scratch.path)/sync", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BenchmarkError("\(scratch.path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 1, count: 4096)
        return try (0..<100).map { _ in
            let start = ContinuousClock.now
            guard write(descriptor, page, page.count) == page.count, fsync(descriptor) == 0 else {
                throw BenchmarkError("\(scratch.path): \(String(cString: strerror(errno)))")
            }
            return (ContinuousClock.now - start).inMilliseconds
        }
    }
}
