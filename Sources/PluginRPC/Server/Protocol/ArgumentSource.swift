internal import GroupSPI

/// Where a call's argument comes from: the `params` member, and the object inside it.
struct ArgumentSource {
    let object: JSONView?
    let params: JSONView?

    /// Reads the argument, and words what is wrong with it as the Go servers do: an object that does not fit is tried as
    /// an array of one, and the message is about that.
    func read<Value>(
        as type: String,
        _ body: (Arguments) throws(RPCFailure) -> Value
    ) throws(RPCFailure) -> Value {
        do throws(RPCFailure) {
            if let object, object.kind != .object {
                throw RPCFailure(
                    .invalidRequest,
                    "json: cannot unmarshal \(object.goKind) into Go value of type \(type)"
                )
            }
            return try body(Arguments(object, type: Self.unqualified(type)))
        } catch {
            guard error.code == .invalidRequest, let params else { throw error }
            if params.kind == .object { throw Self.notAnArray(params) }
            throw RPCFailure(error.code, error.message, data: params.raw)
        }
    }

    static func notAnArray(_ params: JSONView) -> RPCFailure {
        RPCFailure(
            .invalidRequest,
            "json: cannot unmarshal \(params.kind.rawValue) into Go value of type [1]interface {}",
            data: params.raw
        )
    }

    private static func unqualified(_ type: String) -> String {
        type.split(separator: ".").last.map(String.init) ?? type
    }
}
