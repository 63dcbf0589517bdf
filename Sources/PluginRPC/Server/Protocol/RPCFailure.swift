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

    init(_ code: Code = .server, _ message: String, data: RawJSON = .null) {
        self.code = code
        self.message = message
        self.data = data
    }

    init(_ error: GroupError) {
        self.init(.server, error.message)
    }
}
