internal import Glibc
internal import NIOPosix
public import Swarm

/// A real swarm on this machine, in network namespaces: a program of its own makes it, found by `SWARM_LAB`, or beside this
/// repository.
public struct SwarmLab: Sendable {
    private let program: String
    private let folder: String

    /// Why a test that needs the lab cannot go on.
    public struct Trouble: Error, CustomStringConvertible {
        public let description: String
        /// The lab has not started: that says nothing of what is tested.
        public let isAbsent: Bool
    }

    /// Why there is no lab here; nil when there is one.
    public static let hindrance: String? = {
        if access(program, X_OK) != 0 { return "no \(program); name one with SWARM_LAB" }
        if geteuid() != 0 { return "it needs root" }
        let places = ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"]
        if getenv("SWARM_LAB") == nil, !places.contains(where: { access($0, X_OK) == 0 }) {
            return "no dockerd; with SWARM_LAB set, the lab installs it"
        }
        return nil
    }()

    private static let program: String = {
        if let path = getenv("SWARM_LAB") { return String(cString: path) }
        let root = "\(#filePath)".split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        return "\(root)/../shared/labs/swarm-lab"
    }()

    /// Runs a swarm of three managers, one worker, and one Engine outside; takes it down at the end, also of a failure.
    ///
    /// - Throws: ``Trouble`` when it does not start.
    public static func run(_ body: (SwarmLab) async throws -> Void) async throws {
        let lab = SwarmLab(program: program, folder: "/tmp/ik-lab-\(UInt32.random(in: 0 ... .max))")
        do {
            let said = try await lab("up", "3", "--workers", "1", "--spare", "1")
            guard said.contains("n3 manager") else {
                throw Trouble(description: "the swarm lab does not start: \(said)", isAbsent: true)
            }
            try await body(lab)
            _ = try await lab("down")
        } catch {
            _ = try? await lab("down")
            throw error
        }
    }

    /// Runs one verb of the lab to its end.
    ///
    /// - Returns: what it said.
    @discardableResult
    public func callAsFunction(_ words: String...) async throws -> String {
        let line = "SWARM_LAB_DIR=\(folder) \(program) \(words.joined(separator: " ")) 2>&1"
        return try await NIOThreadPool.singleton.runIfActive {
            guard let pipe = popen(line, "re") else { throw Trouble(description: "cannot run \(line)", isAbsent: true) }
            var said = ""
            var buffer = [CChar](repeating: 0, count: 4096)
            while fgets(&buffer, 4096, pipe) != nil {
                said += String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
            pclose(pipe)
            return said
        }
    }

    /// The managers' names.
    public static let managers = ["n1", "n2", "n3"]

    /// The node that leads, as most managers say; waits for one.
    public func leader() async throws -> String {
        let name =
            try await self("leader", "--wait", "60").split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
        guard Self.managers.contains(name) else {
            throw Trouble(description: "the lab has no leader: \(name)", isAbsent: false)
        }
        return name
    }

    public func socket(_ node: String) -> String { "\(folder)/\(node)/docker.sock" }

    public func client(_ node: String) throws -> EngineClient {
        let address = try EngineAddress("unix://\(socket(node))", isSecure: false)
        return try EngineClient(EngineEndpoint(address), on: .singleton)
    }
}
