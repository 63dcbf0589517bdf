public import GroupSPI

extension GroupProxy {
    /// What this replica is and why, and whether its plugin answers now.
    public func status() async -> JSON {
        let standing = board.current
        return [
            "id": .string(keeper.manager), "role": .string(standing.role.rawValue), "reason": .string(board.reason),
            "plugin": await pluginStatus(),
        ]
    }

    private func pluginStatus() async -> JSON {
        var trouble: String?
        do {
            _ = try await plugin.call(.inspect, within: min(settings.rpcTimeout, .seconds(2)))
        } catch {
            trouble = error.message
        }
        return ["name": .string(settings.pluginName), "reachable": .bool(trouble == nil), "error": .string(trouble)]
    }
}
