internal import ArgumentParser
internal import CBuild

/// `infrakit version`
struct VersionCommand: Subcommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "print the version")

    @OptionGroup var options: LogOptions

    func run(in session: Session) async throws(Failure) -> Report {
        .version("\(String(cString: cbuild_version())) (commit \(String(cString: cbuild_commit())))")
    }
}
