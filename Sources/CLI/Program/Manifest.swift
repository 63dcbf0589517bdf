internal import Documents
internal import GroupSPI
internal import Store

/// The groups that a file declares.
enum Manifest {
    /// What is deeper would not fit into a call to a plugin, and would stay pending for ever.
    private static let limits = JSONLimits(
        maximumBytes: JSONLimits.configuration.maximumBytes,
        maximumDepth: JSONLimits.standard.maximumDepth - 8
    )

    /// Reads one specification, a list of them, several documents, or the `Groups` shape of `show`.
    ///
    /// - Parameter name: the file's, for errors.
    /// - Throws: ``Failure`` that says what was wrong and what is accepted.
    static func entries(in text: [UInt8], named name: String) throws -> [GlobalConfig.Entry] {
        var entries: [GlobalConfig.Entry] = []
        do {
            for document in try Document.read(text, limits: limits) where !document.isNull {
                entries += try read(document)
            }
        } catch {
            throw Failure("\(name): \(Failure(error).message)")
        }
        guard !entries.isEmpty else { throw Failure("\(name) contains no group; \(accepted)") }
        var names: Set<Identifier> = []
        for entry in entries {
            guard !entry.spec.id.isEmpty else {
                throw Failure("\(name): a group has no ID, or an empty one; \(accepted)")
            }
            guard names.insert(entry.spec.id).inserted else {
                throw Failure("\(name): the group '\(entry.spec.id)' is declared twice; remove one")
            }
        }
        return entries
    }

    private static let accepted =
        #"expected {"ID": …, "Properties": …}, a list of those, or {"Groups": {…}} as `show` prints it"#

    private static func read(_ view: JSONView) throws -> [GlobalConfig.Entry] {
        switch view.kind {
        case .array where view.elements.allSatisfy { $0.member("Key") == nil }:
            return try view.elements.flatMap(read)
        case .object where view.member("Groups") == nil:
            guard view.member("ID") != nil || view.member("Properties") != nil else { throw Failure(accepted) }
            let spec = try GroupSpec(view)
            // A misspelt one would set the group to nothing.
            guard view.member("Properties") != nil else {
                throw Failure("the group '\(spec.id)' has no Properties; \(accepted)")
            }
            return [GlobalConfig.Entry(spec: spec, plugin: "")]
        case .object, .array: return try GlobalConfig.decode(Array(view.bytes))
        default: throw Failure("\(accepted), but found \(view.kind.rawValue)")
        }
    }
}
