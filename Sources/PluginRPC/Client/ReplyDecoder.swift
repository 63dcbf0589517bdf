internal import GroupSPI

/// Reads replies of all generations: an error is a text (stream) or an object with a message (HTTP).
struct ReplyDecoder: Sendable {
    let limits: JSONLimits

    /// - Throws: ``TransportError`` `malformedReply` that says what is wrong with the text.
    func decode(_ text: [UInt8]) throws(TransportError) -> ReplyEnvelope {
        let view: JSONView
        do {
            view = try JSONView(text, limits: limits)
        } catch {
            throw .malformedReply(text.isEmpty ? "an empty reply" : "a reply that is \(error.description)")
        }
        guard view.kind == .object else {
            throw .malformedReply("a reply that is \(view.kind.rawValue), not an object")
        }
        let members = view.members
        func last(_ name: String) -> JSONView? {
            members.last { $0.name.utf8.count == name.utf8.count && $0.name.text.lowercased() == name }?.value
        }
        let id = last("id")?.int
        if let error = last("error"), !error.isNull {
            // Beside the error (stream), or in its data (HTTP).
            let kind = last("kind")?.string ?? error.member("data")?.member("kind")?.string
            return ReplyEnvelope(
                id: id,
                outcome: .error(Self.words(error), kind: kind.flatMap { GroupError.Code(rawValue: $0) })
            )
        }
        guard let result = last("result") else { throw .malformedReply("a reply with neither result nor error") }
        return ReplyEnvelope(id: id, outcome: .result(result))
    }

    private static func words(_ error: JSONView) -> String {
        bounded(error.string ?? error.member("message")?.string ?? error.raw.text)
    }

    /// A plugin's words are stored with a revision, logged and shown: what is longer than anybody reads is cut, in bytes.
    static let longestWords = 4096

    private static func bounded(_ words: String) -> String {
        guard words.utf8.count > longestWords else { return words }
        var end = words.utf8.index(words.startIndex, offsetBy: longestWords)
        while end.samePosition(in: words.unicodeScalars) == nil { end = words.utf8.index(before: end) }
        return "\(words[..<end]) … (\(words.utf8.count) bytes in all)"
    }
}

// MARK: - Results

extension ReplyDecoder {
    /// A result that only says that it is done. Of the four spellings, only `{"OK":false}` says otherwise.
    static func acknowledgement(_ result: JSONView, of method: String) throws(TransportError) -> GroupReply {
        guard result.kind == .object || result.isNull else { throw unexpected(result, method) }
        if result.member("OK")?.bool == false { throw .rejected("\(method): the plugin answered that it is not OK") }
        return .ok
    }

    static func details(_ result: JSONView) throws(TransportError) -> String {
        try text("Details", in: result, of: "CommitGroup")
    }

    static func plan(_ result: JSONView) throws(TransportError) -> String {
        try text("Plan", in: result, of: "DescribeUpdate")
    }

    static func size(_ result: JSONView) throws(TransportError) -> Int {
        guard let size = result.member("Size")?.int else { throw unexpected(result, "Size") }
        return size
    }

    static func description(_ result: JSONView) throws(TransportError) -> GroupDescription {
        guard let description = result.member("Description"), description.kind == .object else {
            throw unexpected(result, "DescribeGroup")
        }
        let instances = description.member("Instances")
        guard instances == nil || instances?.isNull == true || instances?.kind == .array else {
            throw unexpected(result, "DescribeGroup")
        }
        return GroupDescription(
            instances: instances?.raw ?? .null,
            isConverged: description.member("Converged")?.bool
        )
    }

    static func groups(_ result: JSONView) throws(TransportError) -> [GroupSpec] {
        guard let groups = result.member("Groups"), groups.isNull || groups.kind == .array else {
            throw unexpected(result, "InspectGroups")
        }
        var specs: [GroupSpec] = []
        for element in groups.elements {
            do {
                specs.append(try GroupSpec(element))
            } catch {
                throw .malformedReply("a result of InspectGroups in which \(error.message)")
            }
        }
        return specs
    }

    private static func text(_ name: String, in result: JSONView, of method: String) throws(TransportError) -> String {
        guard result.kind == .object else { throw unexpected(result, method) }
        let member = result.member(name)
        guard let member, !member.isNull else { return "" }
        guard let text = member.string else { throw unexpected(result, method) }
        return text
    }

    private static func unexpected(_ result: JSONView, _ method: String) -> TransportError {
        .malformedReply("a result of \(method) with an unexpected shape: \(Excerpt.of(result.bytes))")
    }
}
