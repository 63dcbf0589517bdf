internal import GroupSPI

/// One plugin process as it was found: the way to it, and what is known of what it speaks.
final class Peer: Sendable {
    let transport: any Transport
    let methods = CapabilityCache()
    /// The file that led to it, as it was then; nil for a URL.
    let identity: FileIdentity?

    /// It has not said what it speaks.
    private let isGuess: Bool

    init(transport: any Transport, identity: FileIdentity?, isGuess: Bool = false) {
        self.transport = transport
        self.identity = identity
        self.isGuess = isGuess
    }

    /// It has said what it speaks, or has answered.
    var isKnown: Bool { !isGuess || transport.replyCount > 0 }

    var description: PeerDescription {
        let wireProtocol = transport.wireProtocol
        return PeerDescription(
            wireProtocol: wireProtocol,
            apiVersion: methods.apiVersion ?? (wireProtocol == .stream ? .watch : .commit)
        )
    }

    /// Sends one call.
    ///
    /// - Throws: ``TransportError``; `missing` when the plugin does not know the method.
    func send(_ call: WireCall) async throws(TransportError) -> JSONView {
        switch try await transport.exchange(call).outcome {
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
