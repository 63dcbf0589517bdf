public import GroupSPI

extension JSONPath {
    /// One step of a path.
    public enum Component: Hashable, Sendable {
        /// A member of an object, by its decoded name.
        case name(Identifier)
        /// An element of an array, counted from zero.
        case index(Int)

        func value(in container: JSONView) -> JSONView? {
            switch self {
            case .name(let name):
                let exact = container.members.last { $0.name == name }
                return exact?.value ?? container.member(name.text)
            case .index(let index):
                let elements = container.elements
                return elements.indices.contains(index) ? elements[index] : nil
            }
        }
    }
}
