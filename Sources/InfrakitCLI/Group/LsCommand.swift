internal import ArgumentParser
internal import GroupSPI

/// `infrakit group ls`
struct LsCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "list groups"
    )

    @Flag(name: .shortAndLong, help: "Print rows without column headers")
    var quiet = false

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        guard case .groups(let groups) = try await session.call(.inspect, options) else {
            throw .unexpectedReply(to: .inspect)
        }
        return .groups(ids: groups.map(\.id), header: !quiet)
    }
}
