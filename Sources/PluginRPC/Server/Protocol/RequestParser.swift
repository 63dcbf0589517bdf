internal import GroupSPI

/// Turns the bytes of one message into the call they ask for: envelope, method, arguments.
///
/// Knows both dialects' rules and no channel. A message that cannot be answered at all makes ``parse(_:)`` throw; every
/// other mistake becomes a ``RPCFailure`` that goes back to the client under its `id`.
struct RequestParser: Sendable {
    /// Why a message cannot be answered: it is not JSON, or its envelope is no envelope.
    struct Malformed: Error {
        let message: String
    }

    let wireProtocol: WireProtocol
    let limits: JSONLimits
    /// True when the socket serves a manager's services beside `Group`.
    let servesManager: Bool

    func parse(_ bytes: [UInt8]) throws(Malformed) -> RPCRequest {
        let envelope = try view(bytes)
        guard envelope.kind == .object else {
            throw Malformed(message: "a request is an object, not \(envelope.kind.rawValue)")
        }
        let id = envelope.member("id")
        switch wireProtocol {
        case .stream:
            let method = envelope.member("method")
            guard method == nil || method?.kind == .string || method?.isNull == true else {
                throw Malformed(message: "a method is a string, not \(method?.kind.rawValue ?? "")")
            }
            return RPCRequest(id: id?.raw ?? .null, call: call(method?.string ?? "", envelope))
        case .http:
            let wantsAnswer = id.map { !$0.isNull } ?? false
            return RPCRequest(id: wantsAnswer ? id?.raw : nil, call: httpCall(envelope))
        }
    }

    /// HTTP bodies may carry anything behind the first value, as Go's decoder stops there.
    private func view(_ bytes: [UInt8]) throws(Malformed) -> JSONView {
        do {
            return try JSONView(bytes, limits: limits)
        } catch {
            if wireProtocol == .http, error.code == .trailingData,
                let first = try? JSONView(Array(bytes[..<error.offset]), limits: limits)
            {
                return first
            }
            throw Malformed(message: error.description)
        }
    }

    private func httpCall(_ envelope: JSONView) -> Result<Call, RPCFailure> {
        for name in ["jsonrpc", "method"] {
            guard let value = envelope.member(name), !value.isNull, value.kind != .string else { continue }
            let field = "serverRequest.\(name)"
            let message = "json: cannot unmarshal \(value.goKind) into Go struct field \(field) of type string"
            return .failure(RPCFailure(.parse, message))
        }
        let version = envelope.member("jsonrpc")?.string ?? ""
        let method = envelope.member("method")?.string ?? ""
        guard version == "2.0" else {
            let echo: JSON = [
                "jsonrpc": .string(version),
                "method": .string(method),
                "params": .raw(envelope.member("params")?.raw ?? .null),
                "id": .raw(envelope.member("id")?.raw ?? .null),
            ]
            return .failure(RPCFailure(.invalidRequest, "jsonrpc must be 2.0", data: echo.raw))
        }
        return call(method, envelope)
    }

    private func call(_ method: String, _ envelope: JSONView) -> Result<Call, RPCFailure> {
        do {
            let entry = try find(method)
            return .success(try entry(try arguments(envelope)))
        } catch let failure {
            return .failure(failure)
        }
    }

    // MARK: - Method

    private func find(_ method: String) throws(RPCFailure) -> MethodTable.Entry {
        let quoted = wireProtocol == .http ? "\"\(method)\"" : method
        let dots = method.utf8.indices.filter { method.utf8[$0] == UInt8(ascii: ".") }
        // HTTP's services have no dot in their name; in the stream the last dot separates.
        guard let dot = dots.last, wireProtocol == .stream || dots.count == 1 else {
            throw RPCFailure(.server, "rpc: service/method request ill-formed: \(quoted)")
        }
        let service = method[..<dot]
        guard MethodTable.serves(service, manager: servesManager) else {
            throw RPCFailure(.server, "rpc: can't find service \(quoted)")
        }
        guard let entry = MethodTable.entry(service, method[method.utf8.index(after: dot)...]) else {
            throw RPCFailure(.server, "rpc: can't find method \(quoted)")
        }
        return entry
    }

    // MARK: - Arguments

    /// The argument object, nil for one that is left out.
    private func arguments(_ envelope: JSONView) throws(RPCFailure) -> ArgumentSource {
        let params = envelope.member("params")
        guard let params, !params.isNull else {
            if wireProtocol == .stream { throw RPCFailure(.invalidRequest, "jsonrpc: request body missing params") }
            return ArgumentSource(object: nil, params: nil)
        }
        switch params.kind {
        case .array:
            let first = params.elements.first
            return ArgumentSource(object: first?.isNull == true ? nil : first, params: params)
        case .object where wireProtocol == .http:
            return ArgumentSource(object: params, params: params)
        default:
            throw ArgumentSource.notAnArray(params)
        }
    }
}
