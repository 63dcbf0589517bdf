public import GroupSPI

/// How the parts of a request that may be long are stored: as JSON, the specifications byte for byte.
public enum RequestBody {
    /// What was accepted when it was asked is read again, although it is wrapped in a few more levels and names by then.
    public static let limits = JSONLimits(maximumBytes: .max, maximumDepth: JSONLimits.standard.maximumDepth + 8)

    static func encode(_ request: GroupRequest) -> RawJSON {
        var members: [JSON.Member] = [.init("method", .string(request.method))]
        switch request {
        case .watch(let spec), .update(let spec), .describeUpdate(let spec):
            members.append(.init("spec", spec.json))
        case .commit(let spec, let pretend):
            members += [.init("spec", spec.json), .init("pretend", .bool(pretend))]
        case .setSize(let id, let size): members += [.init("id", .string(id)), .init("size", .int(size))]
        case .destroyInstances(let id, let instances):
            members += [.init("id", .string(id)), .init("instances", .array(instances.map { .string($0) }))]
        case .stopUpdate(let id), .unwatch(let id), .free(let id), .describe(let id), .destroy(let id), .size(let id):
            members.append(.init("id", .string(id)))
        case .inspect: break
        }
        return JSON.object(members).raw
    }

    /// - Returns: nil for a call that nobody passes on.
    static func decodeRequest(_ bytes: [UInt8]) throws -> GroupRequest? {
        let view = try JSONView(bytes, limits: limits)
        let id = view.member("id")?.identifier ?? ""
        switch view.member("method")?.string {
        case "WatchGroup": return .watch(try spec(view))
        case "UpdateGroup": return .update(try spec(view))
        case "CommitGroup": return .commit(try spec(view), pretend: view.member("pretend")?.bool == true)
        case "UnwatchGroup": return .unwatch(id: id)
        case "FreeGroup": return .free(id: id)
        case "DestroyGroup": return .destroy(id: id)
        case "StopUpdate": return .stopUpdate(id: id)
        case "SetSize":
            guard let size = view.member("size")?.int else {
                throw StoreError(.corrupt, "a passed-on SetSize has no size")
            }
            return .setSize(id: id, size)
        case "DestroyInstances":
            return .destroyInstances(id: id, view.member("instances")?.elements.compactMap(\.identifier) ?? [])
        default: return nil
        }
    }

    private static func spec(_ view: JSONView) throws -> GroupSpec {
        guard let spec = view.member("spec") else { throw StoreError(.corrupt, "a passed-on call has no spec") }
        return try GroupSpec(spec)
    }

    static func encode(_ specs: [GroupSpec]) -> RawJSON { JSON.array(specs.map(\.json)).raw }

    static func decodeSpecs(_ bytes: [UInt8]) throws -> [GroupSpec] {
        try JSONView(bytes, limits: limits).elements.map { try GroupSpec($0) }
    }

    static func encode(_ mark: MetadataChange) -> RawJSON {
        let json: JSON =
            switch mark {
            case .tag(let name, let revision, let moving):
                ["tag": .string(name), "revision": .int(revision), "moving": .bool(moving)]
            case .untag(let name): ["untag": .string(name)]
            case .confirm(let revision): ["confirm": .int(revision)]
            case .acknowledge(let revision, let message):
                ["acknowledge": .int(revision), "message": .string(message)]
            }
        return json.raw
    }

    static func decodeMark(_ bytes: [UInt8]) throws -> MetadataChange {
        let view = try JSONView(bytes, limits: limits)
        if let name = view.member("tag")?.identifier, let revision = view.member("revision")?.int {
            return .tag(name, revision: revision, moving: view.member("moving")?.bool == true)
        }
        if let name = view.member("untag")?.identifier { return .untag(name) }
        if let revision = view.member("acknowledge")?.int {
            return .acknowledge(revision, message: view.member("message")?.string ?? "")
        }
        guard let revision = view.member("confirm")?.int else {
            throw StoreError(.corrupt, "a request notes something unknown")
        }
        return .confirm(revision)
    }

    public static func encode(_ answer: Result<GroupReply, GroupError>) -> RawJSON {
        switch answer {
        case .success(.details(let text)): return (["details": .string(text)] as JSON).raw
        case .success(.plan(let text)): return (["plan": .string(text)] as JSON).raw
        case .success(.ok), .success(.description), .success(.groups), .success(.storedGroups), .success(.size):
            return ([:] as JSON).raw
        case .failure(let error):
            return (["code": .string(error.code.rawValue), "error": .string(error.message)] as JSON).raw
        }
    }

    public static func decodeAnswer(_ bytes: [UInt8]) throws -> Result<GroupReply, GroupError> {
        let view = try JSONView(bytes, limits: limits)
        if let message = view.member("error")?.string {
            let code = view.member("code")?.string.flatMap(GroupError.Code.init) ?? .rejected
            return .failure(GroupError(code, message))
        }
        if let text = view.member("details")?.string { return .success(.details(text)) }
        if let text = view.member("plan")?.string { return .success(.plan(text)) }
        return .success(.ok)
    }
}
