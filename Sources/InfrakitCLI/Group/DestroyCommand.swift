internal import ArgumentParser
internal import GroupSPI

/// `infrakit group destroy`
struct DestroyCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy",
        abstract: "destroy a group"
    )

    @Argument(help: "The group's ID")
    var groupID: Identifier

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        _ = try await session.call(.destroy(id: groupID), options)
        return .destroyed(id: groupID)
    }
}
