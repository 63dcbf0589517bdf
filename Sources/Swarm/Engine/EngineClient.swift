internal import GroupSPI
internal import HTTPClient
internal import NIOCore
internal import NIOHTTP1
public import NIOPosix

/// Asks one Docker Engine about its swarm, and changes the swarm's specification.
///
/// Each request has a deadline: an Engine whose swarm has lost its leader accepts requests and answers up to 20 s later,
/// a stopped one never.
public actor EngineClient {
    /// Room for the answer of thousands of nodes.
    public static let largestAnswer = 16 * 1024 * 1024

    /// Requests beyond this many wait for a connection.
    private static let maximumConnections = 8

    /// How long a request may take, if nobody says otherwise.
    public static let standardLimit = Duration.seconds(2)

    public nonisolated let address: EngineAddress
    private nonisolated let pool: ConnectionPool
    private nonisolated let largestAnswer: Int
    private nonisolated let limit: Duration
    private nonisolated let tls: EngineTLS?
    private nonisolated let group: MultiThreadedEventLoopGroup
    private var version = EngineVersion.wanted

    /// - Parameters:
    ///   - endpoint: where the Engine listens.
    ///   - group: runs the connections.
    ///   - limit: for each request that does not bring its own.
    ///   - largestAnswer: in bytes; a larger answer is an error.
    /// - Throws: ``EngineError`` `tls` for files that cannot be used.
    public init(
        _ endpoint: EngineEndpoint,
        on group: MultiThreadedEventLoopGroup,
        limit: Duration = EngineClient.standardLimit,
        largestAnswer: Int = EngineClient.largestAnswer
    ) throws(EngineError) {
        self.address = endpoint.address
        self.limit = limit
        self.group = group
        self.tls = endpoint.tls
        self.largestAnswer = largestAnswer
        var settings = PoolSettings(
            maximumConnections: Self.maximumConnections,
            // The limit of each request ends it; this is for a connection attempt that outlives its request.
            connectTimeout: .seconds(10),
            largestAnswer: largestAnswer
        )
        if case .tcp(let host, _, isSecure: true) = endpoint.address.place {
            settings.secure = try (endpoint.tls ?? EngineTLS()).handler(for: host)
        }
        self.pool = ConnectionPool(
            endpoint.address.server,
            authority: endpoint.address.authority,
            settings: settings,
            on: group
        )
    }

    /// Ends the connections; requests under way fail.
    public func shutdown() async {
        pool.close()
        await pool.closed()
    }

    // MARK: - What is asked

    /// `GET /info`, the part about the swarm. The Engine answers it in every state.
    public func info(within limit: Duration? = nil) async throws(EngineError) -> EngineInfo {
        try await EngineInfo(get("/info", within: limit), engine: "\(address)")
    }

    /// `GET /nodes/{id}`.
    ///
    /// - Throws: ``EngineError`` `worker`, `notInSwarm`, `locked` or `noQuorum` where this Engine cannot know.
    public func node(_ id: String, within limit: Duration? = nil) async throws(EngineError) -> SwarmNode {
        guard !id.isEmpty, id.utf8.allSatisfy({ Self.isPlain($0) }) else {
            throw .malformed("\(address)", "'\(id)' as a node's ID")
        }
        return try await SwarmNode.one(get("/nodes/\(id)", within: limit), engine: "\(address)")
    }

    /// `GET /nodes`.
    public func nodes(within limit: Duration? = nil) async throws(EngineError) -> [SwarmNode] {
        try await SwarmNode.list(get("/nodes", within: limit), engine: "\(address)")
    }

    /// `GET /swarm`.
    public func swarm(within limit: Duration? = nil) async throws(EngineError) -> SwarmObject {
        try await SwarmObject(get("/swarm", within: limit), engine: "\(address)")
    }

    /// `POST /swarm/update`: replaces the whole specification.
    ///
    /// - Parameters:
    ///   - spec: as it was read, with what is to be changed.
    ///   - version: that of the object in which the specification was read.
    ///   - limit: how long it may take.
    /// - Throws: ``EngineError``; `lostRace` when the swarm has another version by now. See
    ///   ``EngineError/leavesOutcomeOpen`` for the errors after which nobody knows.
    public func update(
        _ spec: SwarmSpec,
        version: UInt64,
        within limit: Duration? = nil
    ) async throws(EngineError) {
        _ = try await exchange(.POST, "/swarm/update?version=\(version)", spec.raw.bytes, within: limit)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    // MARK: - How it is asked

    private func get(_ path: String, within limit: Duration?) async throws(EngineError) -> [UInt8] {
        try await exchange(.GET, path, nil, within: limit)
    }

    /// One request and its answer; two more where the Engine refuses the version of the interface.
    private func exchange(
        _ method: HTTPMethod,
        _ path: String,
        _ body: [UInt8]?,
        within given: Duration?
    ) async throws(EngineError) -> [UInt8] {
        let limit = given ?? limit
        let spoken = version
        do throws(EngineError) {
            return try await attempt(method, "/v\(spoken)\(path)", body, within: limit)
        } catch {
            // The Engine refuses a version before it looks at the rest, so nothing has happened yet.
            guard error.code == .tooOld else { throw error }
            if version == spoken { try await negotiate(after: error, within: limit) }
            guard version != spoken else { throw error }
            return try await attempt(method, "/v\(version)\(path)", body, within: limit)
        }
    }

    private func negotiate(after refusal: EngineError, within limit: Duration) async throws(EngineError) {
        let answer = try await attempt(.GET, "/version", nil, within: limit)
        let chosen = try EngineVersion.choose(from: answer, engine: "\(address)")
        version = chosen
    }

    private nonisolated func attempt(
        _ method: HTTPMethod,
        _ path: String,
        _ body: [UInt8]?,
        within limit: Duration
    ) async throws(EngineError) -> [UInt8] {
        // The Engine refuses a body of another type, and 1.24 also a request that names none.
        let request = Request(method, path, headers: ["Content-Type": "application/json"], body: body)
        do {
            let answer = try await withLimit(limit) { [pool] in try await pool.exchange(request) }
            let (status, bytes) = (answer.status, answer.body)
            guard (200..<300).contains(status.code) else {
                throw EngineError(status: Int(status.code), body: bytes, engine: "\(address)")
            }
            return bytes
        } catch {
            if Task.isCancelled { throw .cancelled }
            let error = EngineError(error, at: address, longest: largestAnswer)
            guard error.words == TLSFailure.untrusted, case .tcp(let host, let port, _) = address.place,
                let trouble = await (tls ?? EngineTLS()).distrust(of: host, port, on: group, within: limit)
            else { throw error }
            throw .distrusted(trouble, at: address)
        }
    }

    /// Ends `work` at its limit.
    private nonisolated func withLimit<Answer: Sendable>(
        _ limit: Duration,
        _ work: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer.self) { [address] group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: limit, clock: .suspending)
                throw EngineError.timeout(address, after: limit)
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw CancellationError() }
            return answer
        }
    }
}
