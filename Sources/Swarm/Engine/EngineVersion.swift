internal import GroupSPI

/// A version of the Engine's interface, `1.24` for example.
struct EngineVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The oldest that has all that is needed, and that Docker before 29 accepts up to its newest.
    static let wanted = EngineVersion(major: 1, minor: 24)

    let major: Int
    let minor: Int

    init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]), major >= 0, minor >= 0 else {
            return nil
        }
        self.init(major: major, minor: minor)
    }

    var description: String { "\(major).\(minor)" }

    static func < (left: EngineVersion, right: EngineVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// The version to speak with an Engine that has refused ``wanted``: its oldest.
    ///
    /// - Parameter answer: that of `/version`: `{"ApiVersion": newest, "MinAPIVersion": oldest}`.
    /// - Throws: ``EngineError`` `tooOld` or `malformed`.
    static func choose(from answer: [UInt8], engine: String) throws(EngineError) -> EngineVersion {
        guard let view = try? JSONView(answer),
            let newest = view.member("ApiVersion")?.string.flatMap({ EngineVersion($0) })
        else { throw .malformed(engine, "/version without ApiVersion") }
        guard newest >= wanted else {
            throw EngineError(
                .tooOld,
                "the Engine at \(engine) speaks API version \(newest); \(wanted) is needed. Use Docker 1.12 or newer."
            )
        }
        let oldest = view.member("MinAPIVersion")?.string.flatMap { EngineVersion($0) } ?? wanted
        return max(wanted, oldest)
    }
}
