internal import ArgumentParser
internal import CBuild
internal import Terminal

/// `infrakit-manager version`.
struct VersionCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print build version information",
        usage: "infrakit-manager version",
        discussion: "Example: infrakit-manager version"
    )

    static var version: String { String(cString: cbuild_version()) }
    static var commit: String { String(cString: cbuild_commit()) }

    func run(in session: Session) async throws -> ExitStatus {
        try session.standardOutput("infrakit-manager \(Self.version) (commit \(Self.commit))\n")
        return .done
    }
}
