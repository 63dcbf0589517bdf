internal import ArgumentParser
internal import GroupSPI

/// `infrakit group commit`
struct CommitCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "commit",
        abstract: "commit a group configuration"
    )

    @Argument(help: "Path or file:// URL of the group configuration, or - for standard input")
    var groupConfiguration: String

    @Flag(name: [.customShort("p"), .long], help: "Don't actually commit, only explain the commit")
    var pretend = false

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        let spec = try GroupConfiguration(groupConfiguration).read(in: session)
        let request = GroupRequest.commit(spec, pretend: pretend)
        guard case .details(let details) = try await session.call(request, options) else {
            throw .unexpectedReply(to: request)
        }
        return pretend ? .pretended(id: spec.id, details: details) : .committed(id: spec.id, details: details)
    }
}
