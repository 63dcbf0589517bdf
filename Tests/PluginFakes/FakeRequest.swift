public import GroupSPI

/// A call as a fake plugin has received it.
public struct FakeRequest: Sendable {
    /// With the service: `Group.CommitGroup`.
    public let method: String
    /// The object in `params`.
    public let params: RawJSON
    public let id: RawJSON

    public var groupID: Identifier? {
        let view = JSONView(params)
        return (view.member("Spec")?.member("ID") ?? view.member("ID"))?.identifier
    }
}
