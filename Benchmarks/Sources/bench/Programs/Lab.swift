internal import BenchmarkSupport
internal import Glibc
internal import Store
internal import Synchronization

/// A few hosts that share a database, as far as one machine can play them. With the measurement it ends: every process
/// that was started from here is killed, and the directory removed.
final class Lab: Sendable {
    let scratch: Scratch
    let programs: Programs
    private let state = Mutex(State())

    private struct State {
        var programs: [Program] = []
        /// Nothing is started any more.
        var isOver = false
    }

    private init(_ programs: Programs) throws {
        self.programs = programs
        scratch = try Scratch()
        try Files.makeDirectory(storeDirectory)
    }

    static func with<Result>(_ programs: Programs, _ body: (Lab) async throws -> Result) async throws -> Result {
        let lab = try Lab(programs)
        Interruption.end(with: lab)
        do {
            let result = try await body(lab)
            await lab.leave()
            return result
        } catch {
            await lab.leave()
            throw error
        }
    }

    var path: String { scratch.path }
    var storeDirectory: String { "\(path)/store" }
    var database: String { StoreConfiguration.path(in: storeDirectory) }

    /// The database, as any program may read it.
    var store: Store { Store.openForCommand(StoreConfiguration(path: database, busyTimeout: 5000)) }

    func lease() async throws -> Lease { try await store.lease(within: .seconds(20)) }

    /// Starts a program whose end is this lab's.
    ///
    /// - Parameter log: the name of the file for what it prints.
    func start(_ words: [String], environment: [String: String], log: String) throws -> Program {
        let base = ["HOME": "\(path)/home", "PATH": "/usr/bin:/bin", "USER": "bench", "TZ": "UTC"]
        return try state.withLock { state in
            guard !state.isOver else { throw BenchmarkError("interrupted") }
            let program = try Program(
                words,
                environment: base.merging(environment) { _, new in new },
                output: "\(path)/\(log).log"
            )
            state.programs.append(program)
            return program
        }
    }

    /// Runs `infrakit-manager …` on the database to its end.
    ///
    /// - Parameters:
    ///   - directory: of the database; nil for the lab's own.
    ///   - statuses: those that are as they should be.
    /// - Returns: how long it took, in milliseconds.
    func time(_ words: [String], in directory: String? = nil, statuses: Set<Int32> = [0]) async throws -> Double {
        let environment = [
            "INFRAKIT_STORE_DIR": directory ?? storeDirectory, "INFRAKIT_PLUGINS_DIR": "\(path)/none",
        ]
        return try await BlockingThread.run { [self] in
            let start = ContinuousClock.now
            let program = try self.start([programs.manager] + words, environment: environment, log: "command")
            let ending = program.waitForEnd()
            let time = (ContinuousClock.now - start).inMilliseconds
            state.withLock { $0.programs.removeAll { $0 === program } }
            guard case .exit(let status) = ending, statuses.contains(status) else {
                throw BenchmarkError(
                    "'infrakit-manager \(words.joined(separator: " "))' ended with \(ending): \(program.output)"
                )
            }
            Files.remove("\(path)/command.log")
            return time
        }
    }

    private func leave() async {
        try? await BlockingThread.run { self.end() }
        Interruption.forget(self)
    }

    /// Kills what was started here and removes the directory.
    func end() {
        let programs = state.withLock { state in
            state.isOver = true
            return state.programs
        }
        for _ in 0..<2000 {
            let left = ProcessTable.processes(of: path)
            for program in programs { program.send(SIGKILL) }
            for pid in left { kill(pid, SIGKILL) }
            if left.isEmpty, !programs.contains(where: \.isRunning) { break }
            usleep(5000)
        }
        scratch.remove()
    }
}
