internal import GroupSPI
public import Store

/// The state of all groups as it lies in a label of the swarm: JSON, packed with zlib, in base64.
///
/// The JSON is that of InfraKit's Go manager, which can go on reading it: `{"Groups": {id: {"Plugin", "Properties": {"ID",
/// "Properties"}}}}`. Beside `Groups` it has members of this manager, which the Go manager does not see.
public struct Annotation: Hashable, Sendable {
    /// The label that is written.
    public static let label = "infrakit"
    /// The labels that are read, the better one first.
    public static let labels = [label, "infrakit.specs"]
    /// The most that a label may unfold to, in bytes.
    public static let largestText = 16 * 1024 * 1024

    /// The revision that this state is; nil when the Go manager wrote it.
    public var revision: Int?
    /// The term in which it was written.
    public var epoch: Int?
    /// The history's hash up to that revision, in hexadecimal.
    public var historyHash: String?
    /// In the order of their names.
    public var groups: [GlobalConfig.Entry]

    public init(revision: Int? = nil, epoch: Int? = nil, historyHash: String? = nil, groups: [GlobalConfig.Entry]) {
        self.revision = revision
        self.epoch = epoch
        self.historyHash = historyHash
        self.groups = groups
    }

    /// Packs the state. The same state gives the same text, with one release of zlib.
    ///
    /// - Throws: ``AnnotationError`` `tooLarge`, before anything is written anywhere.
    public func encoded(
        limit: EncodedAnnotation.Limit = EncodedAnnotation.Limit()
    ) throws(AnnotationError) -> EncodedAnnotation {
        var members: [JSON.Member] = []
        if case .object(let known) = GlobalConfig.encode(groups) { members = known }
        if let revision { members.append(JSON.Member("Revision", .int(revision))) }
        if let epoch { members.append(JSON.Member("Epoch", .int(epoch))) }
        if let historyHash { members.append(JSON.Member("HistoryHash", .string(historyHash))) }
        let text = JSON.object(members).bytes
        guard text.count <= Self.largestText else {
            throw AnnotationError(
                .tooLarge,
                "the groups take \(text.count) bytes; readers of the swarm's label accept \(Self.largestText). Nothing was "
                    + "written. Make the groups' configuration smaller."
            )
        }
        let packed: [UInt8]
        do {
            packed = try Zlib.compress(text)
        } catch {
            throw AnnotationError(.tooLarge, "the groups cannot be packed: \(error)")
        }
        return try EncodedAnnotation(Base64.encode(packed), limit: limit)
    }

    /// Reads a label, whoever wrote it.
    ///
    /// - Throws: ``AnnotationError`` `corrupt`, also for an empty label: a state that cannot be read is never taken for
    ///   one without groups. `tooLarge` for one that unfolds beyond ``largestText``.
    public init(label text: String) throws(AnnotationError) {
        guard !text.isEmpty else { throw .corrupt("it is empty") }
        let bytes: [UInt8]
        do {
            let packed = try Base64.decode(text.utf8)
            bytes = try Zlib.decompress(packed, limit: Self.largestText)
        } catch let error as Base64Error {
            throw .corrupt(error.reason)
        } catch {
            throw Self.error(error as? ZlibError)
        }
        let view: JSONView
        do {
            view = try JSONView(bytes)
        } catch {
            throw .corrupt("it holds \(error)")
        }
        // An object without Groups is somebody else's; the Go manager writes null for none.
        guard view.kind == .array || view.member("Groups") != nil else { throw .corrupt("it has no Groups") }
        do {
            groups = try GlobalConfig.decode(bytes)
        } catch {
            throw .corrupt(error.message)
        }
        revision = try Self.number("Revision", view)
        epoch = try Self.number("Epoch", view)
        historyHash = try Self.string("HistoryHash", view)
    }

    private static func number(_ name: String, _ view: JSONView) throws(AnnotationError) -> Int? {
        guard let member = view.member(name), !member.isNull else { return nil }
        guard let number = member.int, number >= 0 else { throw .corrupt("its \(name) is no number from 0") }
        return number
    }

    private static func string(_ name: String, _ view: JSONView) throws(AnnotationError) -> String? {
        guard let member = view.member(name), !member.isNull else { return nil }
        guard let string = member.string else { throw .corrupt("its \(name) is no string") }
        return string
    }

    private static func error(_ error: ZlibError?) -> AnnotationError {
        switch error {
        case .truncated: .corrupt("its zlib data are cut off")
        case .trailing: .corrupt("there are bytes after its zlib data")
        case .failed(let reason): .corrupt("its zlib data are broken (\(reason))")
        case .tooLarge(let limit):
            AnnotationError(
                .tooLarge,
                "the swarm's label unfolds to more than \(limit) bytes and was not read. It is not this manager's; put back "
                    + "a good one, or remove it to begin anew."
            )
        case nil: .corrupt("it cannot be read")
        }
    }
}
