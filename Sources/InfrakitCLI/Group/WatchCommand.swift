internal import ArgumentParser
internal import GroupSPI

/// `infrakit group watch`
struct WatchCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "watch a group"
    )

    @Argument(help: "Path or file:// URL of the group configuration, or - for standard input")
    var groupConfiguration: String

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        let spec = try GroupConfiguration(groupConfiguration).read(in: session)
        _ = try await session.call(.watch(spec), options)
        return .watching(id: spec.id)
    }
}
