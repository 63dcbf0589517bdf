internal import GroupSPI

/// The swarm as `/swarm` tells of it: its specification, and the version that a change has to name.
public struct SwarmObject: Hashable, Sendable {
    /// The same for as long as the swarm exists, on every node.
    public let id: String
    /// Rises with every change of the swarm, and also by itself: at an election, when a certificate is renewed.
    public let version: UInt64
    public let spec: SwarmSpec

    public init(id: String, version: UInt64, spec: SwarmSpec) {
        self.id = id
        self.version = version
        self.spec = spec
    }

    init(_ answer: [UInt8], engine: String) throws(EngineError) {
        guard let view = try? JSONView(answer),
            let index = view.member("Version")?.member("Index").flatMap({ $0.kind == .number ? $0.raw.text : nil }),
            let version = UInt64(index),
            let id = view.member("ID")?.string, !id.isEmpty,
            let spec = view.member("Spec")
        else { throw .malformed(engine, "/swarm without ID, Version.Index or Spec") }
        do {
            self.init(id: id, version: version, spec: try SwarmSpec(spec.raw))
        } catch {
            throw .malformed(engine, error.message)
        }
    }
}
