internal import GroupSPI

/// The original way of naming a leader: a shared file that holds the name of the manager that is to lead.
package struct LeaderFile: Sendable {
    private let file: TimedFileReader
    /// A manager leads when the file holds its name; replicas that share one are told apart by their ids.
    private let names: Set<Identifier>
    private let timeout: Duration

    /// - Parameter timeout: longer than any reading should take: the file may lie on a server that is away.
    init(path: String, names: Set<Identifier>, timeout: Duration) {
        self.file = TimedFileReader(path, limit: Self.longest)
        self.names = names
        self.timeout = timeout
    }

    /// Of a file that holds one name, in bytes; and how much of another's name is told, in characters.
    private static let (longest, toldCharacters) = (4096, 100)

    /// An editor, or `echo one > file`, empties a file before it writes it: an empty one is looked at again, so often, before it names
    /// nobody.
    private static let (looksAgain, pause) = (5, Duration.milliseconds(20))

    /// - Returns: nil when the file names this manager; else why it must not lead. A file that cannot be read names nobody.
    func inhibitor() async -> String? {
        var content = ""
        for look in 0...Self.looksAgain {
            if look > 0 { try? await Task.sleep(for: Self.pause, clock: .suspending) }
            switch await file.read(within: timeout) {
            case .success(let bytes): content = Self.trimmed(String(decoding: bytes, as: UTF8.self))
            case .failure(let trouble): return "the leader file \(trouble.message)"
            }
            if !content.isEmpty { break }
        }
        if names.contains(Identifier(content)) { return nil }
        guard !content.isEmpty else { return "the leader file \(file.path) is empty" }
        let told = content.prefix(Self.toldCharacters)
        return "the leader file \(file.path) names '\(told)\(told.count < content.count ? "…" : "")'"
    }

    /// - Returns: why the file cannot be read now; nil when it can.
    package static func trouble(_ path: String, within timeout: Duration) async -> String? {
        guard case .failure(let trouble) = await TimedFileReader(path, limit: longest).read(within: timeout) else {
            return nil
        }
        return trouble.message
    }

    private static func trimmed(_ text: String) -> String {
        var content = text.drop(while: \.isWhitespace)
        while content.last?.isWhitespace == true { content.removeLast() }
        return String(content)
    }
}
