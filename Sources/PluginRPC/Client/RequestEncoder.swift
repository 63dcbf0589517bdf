internal import GroupSPI

/// Writes a call as text. A specification's bytes go out as they came in.
struct RequestEncoder: Sendable {
    /// The plugin's full name, for the head generation, in which one socket serves several objects.
    let name: Identifier

    /// `{"method":…,"params":[{…}],"id":…}`; a line feed follows it on the wire.
    func stream(_ call: WireCall, id: Int) -> [UInt8] {
        let envelope: JSON = [
            "method": .string(call.method), "params": [.object(call.arguments)], "id": .int(id),
        ]
        return envelope.bytes
    }

    /// `{"jsonrpc":"2.0","method":…,"params":{"Name":…,…},"id":…}`.
    func http(_ call: WireCall, id: Int) -> [UInt8] {
        let named = call.method == WireCall.hello.method ? [] : [JSON.Member("Name", .string(name))]
        let envelope: JSON = [
            "jsonrpc": "2.0", "method": .string(call.method), "params": .object(named + call.arguments), "id": .int(id),
        ]
        return envelope.bytes
    }
}
