public import GroupSPI

/// A waiting request as it travels where there is no common database.
extension Request {
    /// What became of it does not travel with it.
    public var json: JSON {
        var members: [JSON.Member] = [.init("ID", .string(id))]
        switch kind {
        case .rollback(let target, let group, let expected):
            members += [
                .init("Kind", "rollback"), .init("Target", .int(target)), .init("Group", .string(group)),
                .init("ExpectedCurrent", .int(expected)),
            ]
        case .commit(let entries, let expected, let confirmWithin):
            members += [
                .init("Kind", "commit"), .init("Config", GlobalConfig.encode(entries)),
                .init("ExpectedCurrent", .int(expected)), .init("ConfirmWithin", .int(confirmWithin)),
            ]
        case .import(let entries):
            members += [.init("Kind", "import"), .init("Config", GlobalConfig.encode(entries))]
        case .preview(let specs):
            members += [.init("Kind", "preview"), .init("Specs", .raw(RequestBody.encode(specs)))]
        case .mark(let mark): members += [.init("Kind", "mark"), .init("Mark", .raw(RequestBody.encode(mark)))]
        case .write(let call): members += [.init("Kind", "write"), .init("Call", .raw(RequestBody.encode(call)))]
        case .stepDown: members.append(.init("Kind", "step-down"))
        }
        members += [
            .init("User", .string(author.account)), .init("UID", .int(author.uid)), .init("Host", .string(author.host)),
            .init("Message", .string(message)), .init("Time", .int(time)), .init("Patience", .int(patience)),
        ]
        if let epoch { members.append(.init("Epoch", .int(epoch))) }
        return .object(members)
    }

    /// - Returns: nil for a kind that this program does not know: it waits for a leader that does.
    /// - Throws: ``StoreError`` `malformed`.
    public init?(_ view: JSONView) throws(StoreError) {
        guard let id = view.member("ID")?.string, !id.isEmpty, let host = view.member("Host")?.identifier,
            let time = try Self.time("Time", in: view)
        else { throw StoreError(.malformed, "a request without ID, Host or Time") }
        guard let kind = try Self.kind(view, id) else { return nil }
        self.init(
            id: id,
            kind: kind,
            author: Author(account: view.member("User")?.identifier, uid: try Self.number("UID", in: view), host: host),
            message: view.member("Message")?.string ?? "",
            time: time,
            patience: try Self.time("Patience", in: view) ?? 0,
            epoch: try Self.number("Epoch", in: view)
        )
    }

    /// Of milliseconds, with which the leader reckons.
    private static func time(_ name: String, in view: JSONView) throws(StoreError) -> Int? {
        guard try number(name, in: view) != nil else { return nil }
        guard let time = view.member(name)?.exactInt else {
            throw StoreError(.malformed, "its \(name) is not within the time that a clock can show")
        }
        return time
    }

    /// - Returns: nil when it is missing or null.
    private static func number(_ name: String, in view: JSONView) throws(StoreError) -> Int? {
        guard let value = view.member(name), !value.isNull else { return nil }
        guard let number = value.int else { throw StoreError(.malformed, "its \(name) is not a whole number") }
        return number
    }

    private static func kind(_ view: JSONView, _ id: String) throws(StoreError) -> Kind? {
        let expected = try number("ExpectedCurrent", in: view)
        func entries() throws -> [GlobalConfig.Entry] {
            guard let config = view.member("Config") else { throw StoreError(.malformed, "it has no Config") }
            return try GlobalConfig.decode(Array(config.bytes), limits: RequestBody.limits)
        }
        do {
            switch view.member("Kind")?.string {
            case "rollback":
                guard let target = try number("Target", in: view) else { return nil }
                return .rollback(to: target, group: view.member("Group")?.identifier, expectedCurrent: expected)
            case "commit":
                return .commit(
                    try entries(),
                    expectedCurrent: expected,
                    confirmWithin: try time("ConfirmWithin", in: view)
                )
            case "import": return .import(try entries())
            case "preview":
                return .preview(try RequestBody.decodeSpecs(view.member("Specs").map { Array($0.bytes) } ?? []))
            case "mark":
                return .mark(try RequestBody.decodeMark(view.member("Mark").map { Array($0.bytes) } ?? []))
            case "write":
                let call = try RequestBody.decodeRequest(view.member("Call").map { Array($0.bytes) } ?? [])
                return call.map { .write($0) }
            case "step-down": return .stepDown
            default: return nil
            }
        } catch {
            throw StoreError(.malformed, "the request \(id) cannot be read: \(error)")
        }
    }
}
