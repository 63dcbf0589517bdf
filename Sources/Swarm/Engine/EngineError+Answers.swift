internal import GroupSPI

extension EngineError {
    /// How much of the Engine's words is kept, in Unicode's scalars: a character may be made of any number of them.
    private static let longestWords = 500

    /// Reads an answer that is no success.
    ///
    /// The Engine's statuses say little (a lost race is 500, as is a lost quorum), so its words decide.
    ///
    /// - Parameters:
    ///   - status: other than 2xx.
    ///   - body: `{"message": …}`, or plain text.
    ///   - engine: the address, for the sentence.
    init(status: Int, body: [UInt8], engine: String) {
        let words = Self.words(body)
        let lowercased = words.lowercased()
        func says(_ text: String) -> Bool { lowercased.contains(text) }
        let code: Code
        let message: String
        if says("update out of sequence") {
            code = .lostRace
            message =
                "somebody else changed the swarm at the same moment; nothing was written. Read it again, then decide."
        } else if says("message is too large") || says("larger than max") {
            code = .tooLarge
            message =
                "this is too large for the swarm's labels; nothing was written. Make the groups' configuration smaller."
        } else if says("not a swarm manager") && says("worker") {
            code = .worker
            message =
                "the Engine at \(engine) is a swarm worker. Name a manager with --host, or promote this node: "
                + "docker node promote NODE, on a manager."
        } else if says("manager is being prepared") || says("trouble connecting to the cluster") {
            code = .starting
            message = .starting(engine)
        } else if says("not a swarm manager") || says("not part of a swarm") {
            code = .notInSwarm
            message = .notInSwarm(engine)
        } else if says("needs to be unlocked") {
            code = .locked
            message = .locked(engine)
        } else if says("does not have a leader") || says("lost leader") {
            code = .noQuorum
            message = .noQuorum(engine)
        } else if says("http request to an https server") {
            code = .tls
            message =
                "the Engine at \(engine) requires TLS. Give --tlscacert, --tlscert and --tlskey, or DOCKER_CERT_PATH."
        } else if says("client version") && (says("too old") || says("too new")) {
            code = .tooOld
            message =
                "the Engine at \(engine) does not speak API version \(EngineVersion.wanted), nor another one that "
                + "this program knows. Use Docker 1.12 or newer."
        } else if status == 401 || status == 403 {
            code = .noRights
            message =
                "the Engine at \(engine), or a proxy before it, refuses this user. Check its authorization settings."
        } else {
            code = .other
            message = "the Engine at \(engine) refused (HTTP \(status)): \(words.isEmpty ? "it gave no reason" : words)"
        }
        self.init(code, message, status: status, words: words.isEmpty ? nil : words)
    }

    private static func words(_ body: [UInt8]) -> String {
        let text =
            (try? JSONView(body))?.member("message")?.string
            ?? String(decoding: body.prefix(longestWords), as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        let scalars = line.unicodeScalars.prefix(longestWords)
        return scalars.endIndex == line.endIndex ? line : String(scalars) + "…"
    }

    static func malformed(_ engine: String, _ what: String) -> EngineError {
        EngineError(
            .malformed,
            "the Engine at \(engine) gave an invalid answer (\(what)). Is it a Docker Engine?"
        )
    }
}

extension String {
    static func notInSwarm(_ engine: String) -> String {
        "the Engine at \(engine) is not in a swarm. Join one as a manager: docker swarm join; or create one: docker "
            + "swarm init."
    }

    static func starting(_ engine: String) -> String {
        "the Engine at \(engine) is starting, or joining the managers of its swarm. Wait; if it stays so, see docker "
            + "info and the Engine's log."
    }

    static func locked(_ engine: String) -> String {
        "the swarm of the Engine at \(engine) has been locked since the Engine started. Unlock it: docker swarm unlock."
    }

    static func noQuorum(_ engine: String) -> String {
        "the swarm of the Engine at \(engine) has no leader: more than half of its managers must run and reach each "
            + "other. Start or reconnect them; if they are lost for good: docker swarm init --force-new-cluster."
    }
}
