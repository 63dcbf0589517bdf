public import GroupSPI

/// Where a value is inside a JSON document: the member names and array indices from the root to it.
///
/// A path shares all but its last step with the path it was made from, so the paths of a million siblings at depth 512
/// cost one step each.
public struct JSONPath: Sendable {
    private final class Step: Sendable {
        let parent: Step?
        let component: Component

        init(parent: Step?, component: Component) {
            self.parent = parent
            self.component = component
        }
    }

    private let last: Step?

    private init(last: Step?) {
        self.last = last
    }

    /// The whole document.
    public static let root = JSONPath(last: nil)

    /// The steps from the root; empty for the root itself.
    public var components: [Component] {
        var result: [Component] = []
        var step = last
        while let current = step {
            result.append(current.component)
            step = current.parent
        }
        result.reverse()
        return result
    }

    /// The path of a member or an element of what this path leads to.
    public func appending(_ component: Component) -> JSONPath {
        JSONPath(last: Step(parent: last, component: component))
    }

    /// The value that this path leads to, or nil when there is none.
    ///
    /// A member is looked for by its exact name first and then without regard to case, as Go's `encoding/json` would
    /// find it; of several members of one name the last counts.
    public func value(in document: JSONView) -> JSONView? {
        var value = document
        for component in components {
            guard let next = component.value(in: value) else { return nil }
            value = next
        }
        return value
    }
}

extension JSONPath: Hashable {
    public static func == (left: JSONPath, right: JSONPath) -> Bool { left.components == right.components }

    public func hash(into hasher: inout Hasher) { hasher.combine(components) }
}
