internal import Glibc
internal import Synchronization
internal import TestFiles

/// A real NFS server and its clients, each a Linux kernel of its own on this machine: a program of its own makes them, found by
/// `NFS_LAB`, or beside this repository.
///
/// The nodes are `server`, `c1`, `c2`, …; the export is at `/shared` in all of them, and this machine's files are at `/host`.
public struct NFSLab: Sendable {
    public let settings: Settings
    private let program: String
    /// The lab's own.
    private let folder: String
    /// What commands write to standard error, each in a file.
    private let scratch: String
    private let count = Counter()

    /// What to start.
    public struct Settings: Sendable {
        public var clients = 2
        public var version = Version.v42
        /// The server's lease and its time of grace, in seconds; 10 or more.
        public var lease = 10
        /// Mount options beyond `hard,proto=tcp`.
        public var options: [String] = []

        public init(_ version: Version = .v42) { self.version = version }
    }

    public enum Version: String, Sendable, CaseIterable, CustomStringConvertible {
        case v42 = "4.2"
        case v3 = "3"

        public var description: String { "NFS \(rawValue)" }
    }

    /// Why somebody who needs the lab cannot go on.
    public struct Trouble: Error, CustomStringConvertible {
        public let description: String
        /// The lab has not started: that says nothing of what is tested.
        public let isAbsent: Bool
    }

    private init(_ settings: Settings) {
        self.settings = settings
        program = Self.program
        folder = "/tmp/ik-nfs-\(UInt32.random(in: 0 ... .max))"
        scratch = folder + "-said"
    }

    // MARK: - Its life

    /// Why there is no lab here; nil when there is one.
    public static let hindrance: String? = {
        if access(program, X_OK) != 0 { return "no \(program); name one with NFS_LAB" }
        return geteuid() == 0 ? nil : "it needs root"
    }()

    private static let program: String = {
        if let path = getenv("NFS_LAB") { return String(cString: path) }
        let root = "\(#filePath)".split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        return "\(root)/../shared/labs/nfs-lab"
    }()

    /// Runs a server and clients; takes them down at the end, also of a failure.
    ///
    /// - Throws: ``Trouble`` when they do not start.
    public static func run<Result>(
        _ settings: Settings = Settings(),
        _ body: (NFSLab) async throws -> Result
    ) async throws -> Result {
        let lab = NFSLab(settings)
        guard mkdir(lab.scratch, 0o700) == 0 else {
            throw Trouble(description: "mkdir \(lab.scratch): \(String(cString: strerror(errno)))", isAbsent: true)
        }
        do {
            try await lab.up()
            let result = try await body(lab)
            await lab.down()
            return result
        } catch {
            await lab.down()
            throw error
        }
    }

    private func up() async throws {
        var words = ["up", "\(settings.clients)", "--vers", settings.version.rawValue, "--lease", "\(settings.lease)"]
        if !settings.options.isEmpty { words += ["--opts", settings.options.joined(separator: ",")] }
        let finished = await call(words)
        guard finished.status == 0 else {
            throw Trouble(description: "the NFS lab does not start: \(finished)", isAbsent: true)
        }
    }

    private func down() async {
        _ = await call(["down"])
        for number in 0...count.current { unlink("\(scratch)/\(number)") }
        rmdir(scratch)
    }

    /// Runs one verb of the lab to its end.
    @discardableResult
    public func verb(_ words: String...) async throws -> LabResult {
        let finished = await call(words)
        guard finished.status == 0 else { throw Trouble(description: "\(finished)", isAbsent: false) }
        return finished
    }

    // MARK: - Nodes

    public static let server = "server"

    /// `c1`, `c2`, …
    public var clients: [String] { (1...settings.clients).map { "c\($0)" } }

    /// Where a node sees a file of this machine.
    public static func path(ofHost path: String) -> String { "/host" + path }

    /// Runs a command in a node to its end.
    ///
    /// - Parameters:
    ///   - environment: set beside the node's own.
    ///   - limit: then it is killed, and its status is 137. What touches `/shared` may hang for as long as the server does.
    /// - Returns: status 255 when the node went away.
    public func run(
        _ words: [String],
        on node: String,
        environment: [String: String] = [:],
        input: String = "",
        within limit: Duration = .seconds(60)
    ) async -> LabResult {
        let seconds = max(1, Int(limit.components.seconds))
        let command = ["timeout", "-s", "KILL", "\(seconds)"] + words
        // Killed twice: a process whose thread waits in its node's kernel for a page to be written does not end before that.
        return await call(
            ["exec", node, "--"] + Self.setting(environment, for: command),
            input: input,
            behind: ["timeout", "-s", "KILL", "\(seconds + 20)"]
        )
    }

    /// Starts a command in a node that stays.
    public func start(_ words: [String], on node: String, environment: [String: String] = [:]) -> LabProgram {
        let command = Self.setting(environment, for: ["sh", "-c", LabProgram.wrapper, "sh"] + words)
        return LabProgram(node: node, line: line(["exec", node, "--"] + command) + " 2>&1", of: self)
    }

    private static func setting(_ environment: [String: String], for command: [String]) -> [String] {
        environment.isEmpty ? command : ["env"] + environment.map { "\($0.key)=\($0.value)" }.sorted() + command
    }

    // MARK: - The program

    private func line(_ words: [String], behind prefix: [String] = []) -> String {
        "NFS_LAB_DIR=\(folder) " + (prefix + [program] + words).map(Self.quoted).joined(separator: " ")
    }

    private static func quoted(_ word: String) -> String {
        "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private func call(_ words: [String], input: String = "", behind prefix: [String] = []) async -> LabResult {
        let errors = "\(scratch)/\(count.next())"
        let feed = input.isEmpty ? "" : "printf %s \(Self.quoted(input)) | "
        let line = "\(feed)\(line(words, behind: prefix)) 2>\(errors)" + (input.isEmpty ? " </dev/null" : "")
        let began = ContinuousClock.now
        var output = ""
        let status = await Shell.run(line) { output += $0 }
        return LabResult(
            words: words,
            status: status,
            output: output,
            errors: TestFiles.bytes(of: errors).map { String(decoding: $0, as: UTF8.self) } ?? "",
            took: ContinuousClock.now - began
        )
    }
}

/// What a command said, and how it ended.
public struct LabResult: Sendable, CustomStringConvertible {
    public let words: [String]
    public let status: Int32
    public let output: String
    public let errors: String
    public let took: Duration

    public var description: String { "\(words.joined(separator: " ")) → \(status)\n\(output)\n\(errors)" }
}

/// Gives each file its number.
final class Counter: Sendable {
    private let value = Mutex(0)

    var current: Int { value.withLock { $0 } }

    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
