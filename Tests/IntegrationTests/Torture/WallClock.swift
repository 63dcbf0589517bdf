import Glibc

/// The wall clock of a program, which can jump; clocks that count from the start of the machine stay true.
struct WallClock: Sendable {
    /// Holds by how many nanoseconds the clock is wrong.
    private let path: String
    private let library: String

    /// - Parameter path: of a file for this clock.
    init(path: String) throws {
        self.path = path
        library = try BuiltProgram.wallClock.path()
        try jump(by: 0)
    }

    /// For the program whose clock this is.
    var environment: [String: String] { ["LD_PRELOAD": library, "WALL_CLOCK_FILE": path] }

    /// From now on the clock is wrong by so many seconds.
    func jump(by seconds: Int) throws {
        // In place, and in one go: the program has the file mapped.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Trouble("open \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var error = Int64(seconds) * 1_000_000_000
        guard write(descriptor, &error, 8) == 8 else { throw Trouble("write \(path)") }
    }
}
