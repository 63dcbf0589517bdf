import GroupSPI

/// A group plugin that agrees to everything and does nothing: what is left is the manager's own share.
struct AgreeablePlugin: GroupPlugin {
    func call(_ request: GroupRequest, within timeout: Duration) async throws(GroupError) -> GroupReply {
        switch request {
        case .inspect: .groups([])
        case .commit: .details("")
        default: .ok
        }
    }
}
