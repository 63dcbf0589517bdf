internal import GroupSPI

/// One plugin process as it was found: the way to it, and what is known of what it speaks.
final class Peer: Sendable {
    let link: any Link
    let methods = MethodBook()
    /// The file that led to it, as it was then; nil for a URL.
    let identity: FileIdentity?

    /// It has not said what it speaks.
    private let isGuess: Bool

    init(link: any Link, identity: FileIdentity?, isGuess: Bool = false) {
        self.link = link
        self.identity = identity
        self.isGuess = isGuess
    }

    /// It has said what it speaks, or has answered.
    var isKnown: Bool { !isGuess || link.replyCount > 0 }

    var description: PeerDescription {
        let dialect = link.dialect
        return PeerDescription(
            dialect: dialect,
            generation: methods.generation ?? (dialect == .stream ? .watch : .commit)
        )
    }

    /// Sends one call.
    ///
    /// - Throws: ``LinkError``; `missing` when the plugin does not know the method.
    func send(_ call: WireCall) async throws(LinkError) -> JSONView {
        switch try await link.exchange(call).outcome {
        case .result(let result):
            return result
        case .error(let words, let kind?) where kind.isNoAnswer:
            throw .refused(GroupError(kind.ofPlugin, words))
        case .error(let words, _) where Self.missing(call.method, words):
            methods.add(missing: call.method)
            throw .missing(method: call.method, words: words)
        case .error(let words, _):
            throw .rejected(words)
        }
    }

    /// The words in which Go's two RPC packages say that a method does not exist.
    private static func missing(_ method: String, _ words: String) -> Bool {
        words == "rpc: can't find method \(method)" || words == "rpc: can't find method \"\(method)\""
    }
}
