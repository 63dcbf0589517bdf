extension GroupSpec {
    /// `Allocation.Size`; nil when the spec has none, as when its instances have names of their own.
    public var size: Int? { JSONView(properties).member("Allocation")?.member("Size")?.int }

    /// The same spec with another `Allocation.Size`; not one other byte changes.
    ///
    /// - Throws: ``GroupError`` `badRequest` when the spec has no `Allocation.Size`, or the size is negative.
    public func settingSize(_ size: Int) throws(GroupError) -> GroupSpec {
        guard size >= 0 else { throw GroupError(.badRequest, "a group's size is 0 or more, not \(size)") }
        let view = JSONView(properties)
        guard let current = view.member("Allocation")?.member("Size"), current.kind == .number else {
            throw GroupError(.badRequest, "group '\(id)' has no Allocation.Size to change")
        }
        // Views into one text share its positions.
        var bytes = properties.bytes
        bytes.replaceSubrange(current.bytes.startIndex..<current.bytes.endIndex, with: String(size).utf8)
        return GroupSpec(id: id, properties: RawJSON(checked: bytes))
    }
}
