internal import GroupSPI
public import Store

/// What commands on nodes that do not lead ask of the leader, as it lies in a label of its own.
///
/// Every node adds to it and takes back what it added; the leader removes what it has settled, in the same update that
/// settles it.
public struct Mailbox: Hashable, Sendable {
    public static let label = "infrakit.requests"
    /// The most that the label takes, in bytes.
    public static let limit = 128 * 1024
    /// The most that it may unfold to, in bytes.
    private static let largestText = 4 * 1024 * 1024

    /// In the order in which they came.
    private var entries: [(id: String, json: RawJSON)] = []

    public init() {}

    /// - Throws: ``AnnotationError`` `corrupt`.
    public init(label text: String?) throws(AnnotationError) {
        guard let text, !text.isEmpty else { return }
        let view = try LabelText.decode(text, limit: Self.largestText, label: Self.label)
        guard let requests = view.member("Requests"), requests.kind == .array else {
            throw .corrupt("it has no Requests", label: Self.label)
        }
        for element in requests.elements {
            guard let id = element.member("ID")?.string else {
                throw .corrupt("a request has no ID", label: Self.label)
            }
            entries.append((id, element.raw))
        }
    }

    public var ids: Set<String> { Set(entries.map(\.id)) }

    /// Those that can be read. One of an unknown kind waits for a leader that knows it; a damaged one for whoever takes
    /// it back.
    public var requests: [Request] {
        entries.compactMap { entry in (try? Request(JSONView(entry.json))).flatMap { $0 } }
    }

    /// In which epoch whoever asked was last heard of, as the label says; nil when it does not.
    public func epoch(of id: String) -> Int? {
        guard let entry = entries.first(where: { $0.id == id }) else { return nil }
        return JSONView(entry.json).member("Epoch")?.int
    }

    public mutating func add(_ request: Request) {
        remove([request.id])
        entries.append((request.id, request.json.raw))
    }

    public mutating func remove(_ ids: Set<String>) {
        entries.removeAll { ids.contains($0.id) }
    }

    /// The label's text.
    ///
    /// - Throws: ``AnnotationError`` `tooLarge`.
    public func encoded() throws(AnnotationError) -> String {
        guard !entries.isEmpty else { return "" }
        let text = try LabelText.encode((["Requests": .array(entries.map { .raw($0.json) })] as JSON).bytes)
        guard text.utf8.count <= Self.limit else {
            throw AnnotationError(
                .tooLarge,
                "what nodes ask of the leader takes \(text.utf8.count) bytes of the swarm's label '\(Self.label)', packed; "
                    + "it carries \(Self.limit). Ask again on the node that leads."
            )
        }
        return text
    }

    /// Begins the ids of questions whether a holder lives; see ``HolderQuestion``. They are no requests.
    static let questionPrefix = "holder-"

    var questions: Set<String> { ids.filter { $0.hasPrefix(Self.questionPrefix) } }

    mutating func add(question id: String) {
        remove([id])
        entries.append((id, (["ID": .string(id), "Kind": "holder"] as JSON).raw))
    }

    public static func == (left: Mailbox, right: Mailbox) -> Bool {
        left.entries.elementsEqual(right.entries) { $0 == $1 }
    }

    public func hash(into hasher: inout Hasher) {
        for entry in entries { hasher.combine(entry.id) }
    }
}
