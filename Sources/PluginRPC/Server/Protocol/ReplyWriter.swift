internal import GroupSPI
internal import NIOCore

/// Writes answers in a dialect's words, each into one buffer.
struct ReplyWriter: Sendable {
    let wireProtocol: WireProtocol

    /// Room that HTTP leaves before the body, so that head and body go out as one buffer.
    static let headroom = 320

    /// The reply to a request. In HTTP the readable bytes are the body, and what is before them is free for the head; a
    /// request without `id` gets an empty one.
    func reply(to id: RawJSON?, _ outcome: Result<Response, RPCFailure>) -> ByteBuffer {
        switch wireProtocol {
        case .stream: streamReply(to: id ?? .null, outcome)
        case .http: httpReply(to: id, outcome)
        }
    }

    private func streamReply(to id: RawJSON, _ outcome: Result<Response, RPCFailure>) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: size(outcome) + id.bytes.count + 48)
        buffer.writeStaticString("{\"id\":")
        buffer.writeBytes(id.bytes)
        switch outcome {
        case .success(let answer):
            buffer.writeStaticString(",\"result\":")
            write(answer, to: &buffer)
            buffer.writeStaticString(",\"error\":null}\n")
        case .failure(let failure):
            buffer.writeStaticString(",\"result\":null,\"error\":")
            buffer.writeJSONString(failure.message)
            if let kind = failure.kind {
                // Go reads an error that is no text as none: so this is beside it, where other programs look past it.
                buffer.writeStaticString(",\"kind\":")
                buffer.writeJSONString(kind.rawValue)
            }
            buffer.writeStaticString("}\n")
        }
        return buffer
    }

    private func httpReply(to id: RawJSON?, _ outcome: Result<Response, RPCFailure>) -> ByteBuffer {
        var buffer = Self.emptyBody(capacity: id == nil ? 0 : size(outcome) + (id?.bytes.count ?? 0) + 96)
        guard let id else { return buffer }
        switch outcome {
        case .success(let answer):
            buffer.writeStaticString("{\"jsonrpc\":\"2.0\",\"result\":")
            write(answer, to: &buffer)
        case .failure(let failure):
            buffer.writeStaticString("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":")
            buffer.writeString(String(failure.code.rawValue))
            buffer.writeStaticString(",\"message\":")
            buffer.writeJSONString(failure.message)
            buffer.writeStaticString(",\"data\":")
            buffer.writeBytes(failure.data.bytes)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString(",\"id\":")
        buffer.writeBytes(id.bytes)
        buffer.writeStaticString("}\n")
        return buffer
    }

    /// A body without bytes, behind room for a head.
    static func emptyBody(capacity: Int = 0) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: headroom + capacity)
        buffer.writeRepeatingByte(0, count: headroom)
        buffer.moveReaderIndex(forwardBy: headroom)
        return buffer
    }

    // MARK: - Results

    private func write(_ answer: Response, to buffer: inout ByteBuffer) {
        switch answer {
        case .json(let json):
            buffer.writeBytes(json.bytes)
        case .group(let reply, let address):
            buffer.writeStaticString("{")
            if let address {
                buffer.writeStaticString("\"Name\":")
                buffer.writeJSONString(address.name.text)
                buffer.writeStaticString(",\"ID\":")
                buffer.writeJSONString(address.id.text)
                if case .ok = reply {} else { buffer.writeStaticString(",") }
            }
            write(reply, isAddressed: address != nil, to: &buffer)
            buffer.writeStaticString("}")
        }
    }

    private func write(_ reply: GroupReply, isAddressed: Bool, to buffer: inout ByteBuffer) {
        switch reply {
        case .ok:
            // The head generation's results have `Name` and `ID` in its place.
            if !isAddressed { buffer.writeStaticString("\"OK\":true") }
        case .details(let details):
            buffer.writeStaticString("\"Details\":")
            buffer.writeJSONString(details)
        case .plan(let plan):
            buffer.writeStaticString("\"Plan\":")
            buffer.writeJSONString(plan)
        case .size(let size):
            buffer.writeStaticString("\"Size\":")
            buffer.writeString(String(size))
        case .description(let description):
            buffer.writeStaticString("\"Description\":{\"Instances\":")
            buffer.writeBytes(description.instances.bytes)
            // The first generation has no such member.
            if wireProtocol == .http, let isConverged = description.isConverged {
                buffer.writeStaticString(",\"Converged\":")
                buffer.writeStaticString(isConverged ? "true" : "false")
            }
            buffer.writeStaticString("}")
        case .groups(let groups):
            buffer.writeStaticString("\"Groups\":")
            write(groups, to: &buffer)
        case .storedGroups(let groups, let stamp):
            buffer.writeStaticString("\"Groups\":")
            write(groups, to: &buffer)
            buffer.writeString(
                ",\"Stored\":{\"Revision\":\(stamp.revision),\"Epoch\":\(stamp.epoch),\"AgeMilliseconds\":\(stamp.age)}"
            )
        }
    }

    private func write(_ groups: [GroupSpec], to buffer: inout ByteBuffer) {
        guard !groups.isEmpty else {
            buffer.writeStaticString("null")
            return
        }
        for (index, group) in groups.enumerated() {
            buffer.writeStaticString(index == 0 ? "[{\"ID\":" : ",{\"ID\":")
            buffer.writeJSONString(group.id.text)
            buffer.writeStaticString(",\"Properties\":")
            buffer.writeBytes(group.properties.bytes)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("]")
    }

    /// About how many bytes the answer takes, so that one allocation is enough for nearly all.
    func size(_ outcome: Result<Response, RPCFailure>) -> Int {
        switch outcome {
        case .failure(let failure):
            failure.message.utf8.count + failure.data.bytes.count + 64
        case .success(.json(.raw(let json))):
            json.bytes.count
        case .success(.json):
            512
        case .success(.group(let reply, let address)):
            (address.map { $0.name.utf8.count + $0.id.utf8.count + 32 } ?? 0) + size(reply)
        }
    }

    private func size(_ reply: GroupReply) -> Int {
        switch reply {
        case .ok, .size: 32
        case .details(let text), .plan(let text): text.utf8.count + 64
        case .description(let description): description.instances.bytes.count + 64
        case .groups(let groups), .storedGroups(let groups, _):
            groups.reduce(128) { $0 + $1.id.utf8.count + $1.properties.bytes.count + 40 }
        }
    }
}
