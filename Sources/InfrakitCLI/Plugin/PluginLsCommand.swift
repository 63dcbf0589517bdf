internal import ArgumentParser
internal import PluginRPC

/// `infrakit plugin ls`
struct PluginLsCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "list plugins and where they listen"
    )

    @Flag(name: .shortAndLong, help: "Print rows without column headers")
    var quiet = false

    @OptionGroup var options: LogOptions

    func run(in session: Session) async throws(Failure) -> Report {
        do {
            return .plugins(try session.plugins.entries(), header: !quiet)
        } catch {
            throw .fatal("\(error)")
        }
    }
}
