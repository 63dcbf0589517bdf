internal import Documents
internal import GroupSPI

/// `--config FILE`: flags from a YAML file, under their names without the dashes. The command line and the environment
/// come first.
struct ConfigurationFile: Equatable {
    /// By flag, `--lease-ttl`; several values of one that may be repeated.
    let values: [String: [String]]

    /// Reads the file that `--config` or `INFRAKIT_CONFIG` names.
    ///
    /// - Returns: nil when nobody names one.
    /// - Throws: ``Failure`` that says what was wrong with it.
    static func load(for words: [String], in session: Session) throws -> ConfigurationFile? {
        guard let path = try path(in: words) ?? session.environment["INFRAKIT_CONFIG"], !path.isEmpty else {
            return nil
        }
        do {
            return try ConfigurationFile(try Document.read(try InputFile.read(path, limit: 1 << 20)))
        } catch {
            throw Failure("the configuration file \(path): \(Failure(error).message)", .usage)
        }
    }

    init(_ documents: [JSONView]) throws {
        var values: [String: [String]] = [:]
        for document in documents where !document.isNull {
            guard document.kind == .object else {
                throw Failure(
                    "expected flags and their values, such as `lease-ttl: 9s`, but found \(document.kind.rawValue)"
                )
            }
            for (name, value) in document.members {
                guard Self.known.contains("--\(name)") else {
                    let names = Self.known.map { $0.dropFirst(2) }.sorted().joined(separator: ", ")
                    throw Failure("'\(name)' is not a flag that a file can set; accepted: \(names)")
                }
                values["--\(name)"] = try Self.words(value, name.text)
            }
        }
        self.values = values
    }

    private static let known = Set(ArgumentPreprocessor.flags.values.joined())

    private static func words(_ value: JSONView, _ name: String) throws -> [String] {
        switch value.kind {
        case .string: [value.string ?? ""]
        case .number, .bool: [value.raw.text]
        case .null: []
        case .array: try value.elements.flatMap { try words($0, name) }
        case .object: throw Failure("\(name) must be a value or a list of values, not a mapping")
        }
    }

    /// The command line without `--config`, which is read here and nowhere else.
    static func stripped(_ words: [String]) -> [String] {
        guard let range = range(in: words) else { return words }
        return Array(words[..<range.lowerBound] + words[range.upperBound...])
    }

    private static func path(in words: [String]) throws -> String? {
        guard let range = range(in: words) else { return nil }
        let word = words[range.lowerBound]
        if word != "--config" { return String(word.dropFirst("--config=".count)) }
        guard range.count == 2 else { throw Failure("--config needs the name of a file", .usage) }
        return words[range.lowerBound + 1]
    }

    private static func range(in words: [String]) -> Range<Int>? {
        guard let index = words.firstIndex(where: { $0 == "--config" || $0.hasPrefix("--config=") }) else { return nil }
        return index..<min(words.count, index + (words[index] == "--config" ? 2 : 1))
    }
}
