internal import ArgumentParser
internal import GroupSPI

/// `infrakit group describe`
struct DescribeCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "describe the live instances that make up a group"
    )

    @Argument(help: "The group's ID")
    var groupID: Identifier

    @Flag(name: .shortAndLong, help: "Print rows without column headers")
    var quiet = false

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        let request = GroupRequest.describe(id: groupID)
        guard case .description(let description) = try await session.call(request, options) else {
            throw .unexpectedReply(to: request)
        }
        return .instances(description.decodedInstances, header: !quiet)
    }
}
