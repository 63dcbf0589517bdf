/// Numbers values so that two are equal when their numbers are: equality of subtrees costs one comparison, and no hash
/// has to be trusted.
struct ValueTable {
    typealias ID = UInt32

    private var scalars: [[UInt8]: ID] = [:]
    private var containers: [[ID]: ID] = [:]
    private var next: ID = 0

    /// - Parameter bytes: how long the documents are: about how many values there will be.
    init(bytes: Int) {
        let count = min(bytes / 16, 4096)
        scalars.reserveCapacity(count)
        containers.reserveCapacity(count / 4)
    }

    /// The number of a scalar.
    ///
    /// - Parameter key: its kind in one byte, then its value in one spelling.
    mutating func id(scalar key: [UInt8]) -> ID {
        if let id = scalars[key] { return id }
        defer { next += 1 }
        scalars[key] = next
        return next
    }

    /// The number of an array or object.
    ///
    /// - Parameter key: its kind, then the numbers of what is in it.
    mutating func id(container key: [ID]) -> ID {
        if let id = containers[key] { return id }
        defer { next += 1 }
        containers[key] = next
        return next
    }
}
