internal import ArgumentParser
internal import CBuild

/// `infrakit version`
struct VersionCommand: Verb {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "print the version")

    private static let version = "0.1.0"

    @OptionGroup var options: LogOptions

    func run(in session: Session) async throws(Failure) -> Report {
        .version("\(Self.version) (commit \(String(cString: cbuild_commit())))")
    }
}
