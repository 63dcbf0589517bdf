internal import GroupSPI

extension Dispatcher {
    /// Every generation shakes hands before it calls, and passes over a socket that does not name its interface.
    func answer(_ handshake: Handshake, from caller: Caller) async -> JSON {
        let isManager = plugin.manager != nil
        switch handshake {
        case .plugin:
            return ["APIs": [["Name": "Group", "Version": "0.1.0"]]]
        case .implements:
            let names: [JSON] = isManager ? ["Group", "Manager", "Metadata"] : ["Group"]
            return ["APIs": .array(names.map { ["Name": $0, "Version": "0.1.0"] })]
        case .types:
            let everything: JSON = ["."]
            return isManager
                ? ["Types": ["Group/0.1.0": everything, "Manager/0.1.0": everything, "Metadata/0.1.0": everything]]
                : ["Types": ["Group/0.1.0": everything]]
        case .hello:
            let everything: JSON = [["Name": ".", "ProxyFor": ""]]
            guard isManager else { return ["Objects": ["Group/0.1.1": everything]] }
            let groups = await groupObjects(caller)
            let updatable: JSON = .array(["status", "vars"].map { ["Name": $0, "ProxyFor": ""] })
            return [
                "Objects": [
                    "Controller/0.1.1": groups, "Group/0.1.1": groups, "Stack/0.1.1": everything,
                    "Updatable/0.1.1": updatable,
                ]
            ]
        }
    }

    /// `groups`, which means all of them, and each one by its name. A store that cannot be read, or hangs, must not make the
    /// manager disappear from `infrakit plugin ls`, and a client that begins with this question must hear soon who leads:
    /// then only `groups` is there.
    private func groupObjects(_ caller: Caller) async -> JSON {
        let ids = ((try? await specs(caller, within: .seconds(1))) ?? []).map(\.id)
        return .array((["groups"] + ids).map { ["Name": .string($0), "ProxyFor": ""] })
    }
}
