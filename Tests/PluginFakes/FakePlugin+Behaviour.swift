import GroupSPI
import Synchronization

/// What the generations do, in the words of the recordings.
extension FakePlugin {
    func behave(_ request: FakeRequest) -> FakeAnswer {
        guard apiVersion.methods.contains(request.method) else {
            let service = request.method.prefix { $0 != "." }
            let kind = apiVersion.methods.contains { $0.hasPrefix(service + ".") } ? "method" : "service"
            switch apiVersion.wireProtocol {
            case .stream: return .error("rpc: can't find \(kind) \(request.method)")
            case .http: return .error("rpc: can't find \(kind) \"\(request.method)\"")
            }
        }
        let id = request.groupID ?? ""
        let properties = JSONView(request.params).member("Spec")?.member("Properties")?.raw ?? .null
        let spec = GroupSpec(id: id, properties: properties)
        return state.withLock { state in
            let index = state.groups.firstIndex { $0.id == id }
            switch request.method {
            case "Group.WatchGroup":
                guard index == nil else { return .error("Already watching group '\(id)'") }
                state.groups.append(spec)
                return done(request)
            case "Group.CommitGroup":
                if JSONView(request.params).member("Pretend")?.bool == true { return details(request, "Managing it") }
                if let index { state.groups[index] = spec } else { state.groups.append(spec) }
                return details(request, index == nil ? "Managing 5 instances" : "Noop")
            case "Group.InspectGroups":
                guard !state.groups.isEmpty else { return .result("{\(names(request))\"Groups\":null}") }
                return .result("{\(names(request))\"Groups\":\(JSON.array(state.groups.map(\.json)).raw)}")
            case "Handshake.Hello":
                return .result("{\"Objects\":{\"Group/0.1.1\":[{\"Name\":\".\",\"ProxyFor\":\"\"}]}}")
            case "Handshake.Implements", "Plugin.Implements":
                return .result("{\"APIs\":[{\"Name\":\"Group\",\"Version\":\"0.1.0\"}]}")
            default: break
            }
            guard let index else { return .error("Group '\(id)' is not being watched") }
            switch request.method {
            case "Group.UpdateGroup": state.groups[index] = spec
            case "Group.UnwatchGroup", "Group.FreeGroup", "Group.DestroyGroup": state.groups.remove(at: index)
            case "Group.DescribeUpdate": return .result("{\"Plan\":\"Noop\"}")
            case "Group.DescribeGroup":
                return .result("{\(names(request))\"Description\":\(description)}")
            case "Group.Size": return .result("{\(names(request))\"Size\":7}")
            default: break
            }
            return done(request)
        }
    }

    private var description: String {
        let instances =
            #"[{"ID":"instance-1","LogicalID":null,"Tags":{"tier":"web","project":"infrakit"}},"#
            + #"{"ID":"instance-2","LogicalID":"10.0.0.2","Tags":null}]"#
        return "{\"Instances\":\(instances)\(apiVersion.saysConverged ? ",\"Converged\":true" : "")}"
    }

    private func done(_ request: FakeRequest) -> FakeAnswer {
        guard apiVersion.echoesNames else { return .result("{\"OK\":true}") }
        return .result("{\(names(request).dropLast())}")
    }

    private func details(_ request: FakeRequest, _ words: String) -> FakeAnswer {
        .result("{\(names(request))\"Details\":\(JSON.string(words).raw)}")
    }

    /// `"Name":…,"ID":…,` in the head generation.
    private func names(_ request: FakeRequest) -> String {
        guard apiVersion.echoesNames else { return "" }
        let name = JSONView(request.params).member("Name")?.string ?? ""
        return "\"Name\":\(JSON.string(name).raw),\"ID\":\(JSON.string(request.groupID ?? "").raw),"
    }
}
