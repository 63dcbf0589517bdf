import GroupSPI

extension JSONPath {
    /// One step of a path.
    public enum Component: Sendable {
        /// A member of an object, by its decoded name.
        case name(String)
        /// An element of an array, counted from zero.
        case index(Int)

        func value(in container: JSONView) -> JSONView? {
            switch self {
            case .name(let name):
                let exact = container.members.last { $0.name.utf8.elementsEqual(name.utf8) }
                return exact?.value ?? container.member(name)
            case .index(let index):
                let elements = container.elements
                return elements.indices.contains(index) ? elements[index] : nil
            }
        }
    }
}

// Names are compared by their bytes: two spellings of "é" are one String to Swift, and two members to JSON and Go.
extension JSONPath.Component: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.name(let left), .name(let right)): left.utf8.elementsEqual(right.utf8)
        case (.index(let left), .index(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .name(let name):
            for byte in name.utf8 { hasher.combine(byte) }
        case .index(let index):
            hasher.combine(index)
        }
    }
}
