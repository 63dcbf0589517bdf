/// One parser, and what must hold for whatever bytes it is given.
///
/// `make fuzz` looks for bytes with which it does not hold; `CorpusTests` tries those that are checked in.
struct FuzzTarget: Sendable {
    let name: String
    /// The longest input that is worth trying: a little more than the limits that the target sets.
    let longest: Int
    /// - Throws: ``Broken``.
    let run: @Sendable ([UInt8]) throws -> Void

    static let all = [
        FuzzTarget(name: "json", longest: 4096, run: JSONTarget.run),
        FuzzTarget(name: "stream", longest: 4096, run: StreamTarget.run),
        FuzzTarget(name: "http", longest: 4096, run: HTTPTarget.run),
        FuzzTarget(name: "plugin", longest: 4096, run: PluginTarget.run),
        FuzzTarget(name: "engine", longest: 8192, run: EngineTarget.run),
        FuzzTarget(name: "label", longest: 8192, run: LabelTarget.run),
        FuzzTarget(name: "annotation", longest: 8192, run: AnnotationTarget.run),
        FuzzTarget(name: "requests", longest: 4096, run: RequestsTarget.run),
        FuzzTarget(name: "documents", longest: 4096, run: DocumentsTarget.run),
    ]

    static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}
