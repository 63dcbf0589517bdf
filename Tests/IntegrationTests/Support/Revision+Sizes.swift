import GroupSPI
import Store

extension Revision {
    /// What it set the groups' sizes to, by which tests tell specs apart; nil for a free or a destroy.
    var sizes: [Int?] {
        changes.map { change in
            guard case .set(let properties, _) = change.action else { return nil }
            return GroupSpec(id: change.group, properties: properties).size
        }
    }
}
