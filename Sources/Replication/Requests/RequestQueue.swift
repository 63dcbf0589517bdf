package import GroupSPI
package import Store

/// What commands on nodes that do not lead ask of the leader, as it lies in a register.
///
/// Every node adds to it and takes back what it added; the leader removes what it has settled, in the same write that
/// settles it.
package struct RequestQueue: Hashable, Sendable {
    /// In the order in which they came.
    private var entries: [(id: String, json: RawJSON)] = []

    package init() {}

    /// Each as it lies there, in the order in which they came.
    ///
    /// - Returns: nil when one of them has no id.
    package init?(elements: [JSONView]) {
        for element in elements {
            guard let id = element.member("ID")?.string else { return nil }
            entries.append((id, element.raw))
        }
    }

    /// As ``init(elements:)`` reads them.
    package var elements: [RawJSON] { entries.map(\.json) }

    package var isEmpty: Bool { entries.isEmpty }

    package var ids: Set<String> { Set(entries.map(\.id)) }

    /// Those that can be read. One of an unknown kind waits for a leader that knows it; a damaged one for whoever takes
    /// it back.
    package var requests: [Request] {
        entries.compactMap { entry in (try? Request(JSONView(entry.json))).flatMap { $0 } }
    }

    /// In which epoch whoever asked was last heard of, as the entry says; nil when it does not.
    package func epoch(of id: String) -> Int? {
        guard let entry = entries.first(where: { $0.id == id }) else { return nil }
        return JSONView(entry.json).member("Epoch")?.int
    }

    package mutating func add(_ request: Request) {
        remove([request.id])
        entries.append((request.id, request.json.raw))
    }

    package mutating func remove(_ ids: Set<String>) {
        entries.removeAll { ids.contains($0.id) }
    }

    /// Begins the ids of questions whether a holder lives; see ``HolderQuestion``. They are no requests.
    static let questionPrefix = "holder-"

    var questions: Set<String> { ids.filter { $0.hasPrefix(Self.questionPrefix) } }

    mutating func add(question id: String) {
        remove([id])
        entries.append((id, (["ID": .string(id), "Kind": "holder"] as JSON).raw))
    }

    package static func == (left: RequestQueue, right: RequestQueue) -> Bool {
        left.entries.elementsEqual(right.entries) { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) {
        for entry in entries { hasher.combine(entry.id) }
    }
}
