internal import GroupSPI

/// An error as it goes to the client: a code (HTTP only), a sentence, and in HTTP what was wrong.
struct RPCFailure: Error, Sendable {
    /// JSON-RPC's numbers, as InfraKit's programs use them.
    enum Code: Int, Sendable {
        /// The call was understood, and its answer is an error; also a method that does not exist.
        case server = -32000
        /// The version or the arguments are not what they should be.
        case invalidRequest = -32600
        /// A member of the envelope has the wrong type.
        case parse = -32700
    }

    let code: Code
    let message: String
    let data: RawJSON
    /// Not a no to what was asked: what kind of trouble kept the answer from being known, or the call from being made. A manager in
    /// front of this one must not take it for a refusal.
    let kind: GroupError.Code?

    init(_ code: Code = .server, _ message: String, data: RawJSON = .null) {
        self.code = code
        self.message = message
        self.data = data
        kind = nil
    }

    init(_ error: GroupError) {
        code = .server
        message = error.message
        kind = error.code.isNoAnswer ? error.code : nil
        data = kind.map { RawJSON(checked: Array("{\"kind\":\"\($0.rawValue)\"}".utf8)) } ?? .null
    }
}
