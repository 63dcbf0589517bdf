internal import GroupSPI

extension GroupSpec {
    /// The same specification with another `Allocation.Size`: the digits are replaced, every other byte stays.
    ///
    /// - Throws: ``GroupError`` `rejected` when the specification has no size to change.
    func resized(to size: Int) throws(GroupError) -> GroupSpec {
        guard (0...ProcessGroupSpec.maximumCount).contains(size) else {
            throw GroupError(
                .rejected,
                "Group '\(id)' cannot have size \(size); from 0 to \(ProcessGroupSpec.maximumCount) is accepted"
            )
        }
        // Of several members of one name the last counts, when reading as when changing.
        guard let view = JSONView(properties).member("Allocation")?.member("Size"), view.int != nil else {
            throw GroupError(
                .rejected,
                "Group '\(id)' is sized by its LogicalIDs; commit a spec with another list to change its size"
            )
        }
        // The view is a window on the text, so its indices are positions in it.
        var bytes = properties.bytes
        bytes.replaceSubrange(view.bytes.indices, with: Array(String(size).utf8))
        return GroupSpec(id: id, properties: RawJSON(checked: bytes))
    }
}
