internal import GroupSPI

/// One message from a client, with what is needed to answer it.
struct RPCRequest: Sendable {
    /// The `id` as it was sent; nil when the client wants no answer (HTTP: absent or null).
    let id: RawJSON?
    let call: Result<Call, RPCFailure>
}
