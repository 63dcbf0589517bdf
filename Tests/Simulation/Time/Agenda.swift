/// What is planned, by its moment; of one moment in the order in which it was planned. A binary heap.
struct Agenda {
    struct Entry {
        let time: Int
        let process: SimulatedProcess
        let action: () -> Void
    }

    private struct Node {
        let entry: Entry
        let order: Int

        func isBefore(_ other: Node) -> Bool {
            entry.time < other.entry.time || entry.time == other.entry.time && order < other.order
        }
    }

    private var nodes: [Node] = []
    private var order = 0

    var nextTime: Int? { nodes.first?.entry.time }

    mutating func insert(_ entry: Entry) {
        order += 1
        nodes.append(Node(entry: entry, order: order))
        var child = nodes.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard nodes[child].isBefore(nodes[parent]) else { break }
            nodes.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> Entry? {
        guard !nodes.isEmpty else { return nil }
        let first = nodes.swapRemove(at: 0)
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < nodes.count {
                if nodes[child].isBefore(nodes[least]) { least = child }
            }
            guard least != parent else { break }
            nodes.swapAt(parent, least)
            parent = least
        }
        return first.entry
    }
}
