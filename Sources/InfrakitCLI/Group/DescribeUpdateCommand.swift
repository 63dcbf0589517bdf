internal import ArgumentParser
internal import GroupSPI

/// `infrakit group describe-update`
struct DescribeUpdateCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "describe-update",
        abstract: "describe the steps to perform an update"
    )

    @Argument(help: "Path or file:// URL of the group configuration, or - for standard input")
    var groupConfiguration: String

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        let request = GroupRequest.describeUpdate(try GroupConfiguration(groupConfiguration).read(in: session))
        guard case .plan(let plan) = try await session.call(request, options) else {
            throw .unexpectedReply(to: request)
        }
        return .plan(plan)
    }
}
