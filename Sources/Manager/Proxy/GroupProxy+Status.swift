public import GroupSPI
internal import Store

extension GroupError {
    /// A group plugin has said something, whatever it was.
    fileprivate var isAnswer: Bool {
        switch code {
        // The words of Go's servers when there is no such service: then it is another plugin.
        case .rejected: !message.hasPrefix("rpc: can't find ")
        case .unreadable: true
        default: false
        }
    }
}

extension GroupProxy {
    /// What this replica is and why, and whether its plugin answers now.
    public func status() async -> JSON {
        let standing = board.current
        return [
            "id": .string(supervisor.dependencies.candidate.id.name), "role": .string(standing.role.rawValue),
            "reason": .string(board.reason),
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
            // Its answer is short, however many groups there are: no group is without a name.
            _ = try await plugin.call(.describe(id: ""), within: min(settings.rpcTimeout, .seconds(2)))
        } catch {
            if !error.isAnswer { trouble = error.message }
        }
        return [
            "name": .string(settings.pluginName), "reachable": .bool(trouble == nil), "error": .string(trouble),
            "slow": .string(board.longRelease?.text),
        ]
    }
}
