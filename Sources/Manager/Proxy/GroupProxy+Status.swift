public import GroupSPI

extension GroupProxy {
    /// What this replica is and why, and whether its plugin answers now.
    public func status() async -> JSON {
        let standing = board.current
        return [
            "id": .string(keeper.manager), "role": .string(standing.role.rawValue), "reason": .string(board.reason),
            "plugin": await pluginStatus(), "store": ["slow": .string(board.slowness?.text)],
            "clock": ["set": .string(clockText)],
        ]
    }

    /// Whether somebody has set this host's clock; of the last day.
    private var clockText: String? {
        guard let jump = board.clockJump else { return nil }
        let age = clock.now() - jump.at
        guard age < .seconds(86_400) else { return nil }
        let size = max(jump.by, .zero - jump.by).goText
        return "this host's clock was set \(size) \(jump.by < .zero ? "back" : "ahead"), "
            + "\(Duration.seconds(age.milliseconds / 1000).goText) ago"
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
