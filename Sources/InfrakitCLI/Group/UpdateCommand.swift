internal import ArgumentParser
internal import GroupSPI

/// `infrakit group update`
struct UpdateCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "update a group"
    )

    @Argument(help: "Path or file:// URL of the group configuration, or - for standard input")
    var groupConfiguration: String

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        let spec = try GroupConfiguration(groupConfiguration).read(in: session)
        _ = try await session.call(.update(spec), options)
        return .updated(id: spec.id)
    }
}
