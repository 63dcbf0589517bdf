internal import ArgumentParser
internal import GroupSPI

/// `infrakit group inspect`
struct InspectCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "return the raw configuration associated with a group"
    )

    @Argument(help: "The group's ID")
    var groupID: Identifier

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        guard case .groups(let groups) = try await session.call(.inspect, options) else {
            throw .unexpectedReply(to: .inspect)
        }
        guard let spec = groups.first(where: { $0.id == groupID }) else {
            throw .fatal("Group \(groupID) is not being watched")
        }
        return .configuration(spec)
    }
}
