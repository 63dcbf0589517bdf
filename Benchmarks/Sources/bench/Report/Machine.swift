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
        let transactions = try Sample(transactions())
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
                    ["a transaction of the bare disk", "\(Unit.milliseconds.text(transactions.p50)) (p50)"],
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

    /// What the disk takes for a small one, in milliseconds.
    private static func transactions() throws -> [Double] {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let disk = try Disk(in: scratch.path)
        return try (0..<100).map { _ in try disk.transaction() }
    }
}
