internal import ArgumentParser
internal import Diff
internal import GroupSPI
internal import Store

/// `infrakit-manager diff <rev> [<rev>]`: what changed between two revisions, by path.
struct DiffCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what changed between two revisions",
        discussion: flowing(
            """
            Without a second revision, compares with the current one. Differences in the order of members, white space
            and the spelling of numbers are ignored. If more than 1,048,576 values differ, the largest objects and
            arrays are compared as text: each is shown as one line with its length and SHA-256, and as "coarse": true in
            JSON.

            Exit status: 0 no difference, 1 different, 2 error.

            Examples:
              infrakit-manager diff 12
              infrakit-manager diff 12 15 --group cattle -U 0
              infrakit-manager diff before-upgrade 15 -o json
            """
        )
    )

    @Argument(help: "Earlier revision, by number or tag", completion: Completions.revisions)
    var from: RevisionWord

    @Argument(help: "Later revision, by number or tag (default: the current one)", completion: Completions.revisions)
    var to: RevisionWord?

    @Option(help: ArgumentHelp("Compare only this group", valueName: "id"), completion: Completions.groups)
    var group: Identifier?

    @Option(
        name: [.customShort("U"), .customLong("unified")],
        help: ArgumentHelp(
            "Number of context lines",
            valueName: "n"
        )
    )
    var context = 3

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func validate() throws {
        guard (0...1_000_000).contains(context) else {
            throw ValidationError(
                "-U must be 0 to 1000000, not \(context)"
            )
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        do {
            let store = try await store.openToRead(in: session)
            let before = try await from.number(in: store)
            let after = try await RevisionWord.numberOrCurrent(to, in: store)
            let states = try await store.differingStates(at: before, and: after, of: group, within: commandTimeout)
            let diff = await ConfigurationDiff(
                before: states.first,
                after: states.second,
                labels: ("revision \(before)", "revision \(after)"),
                context: context
            )
            try session.write(diff.text(colored: session.isColored), diff.json, format.output)
            return diff.isEmpty ? .done : .failed
        } catch {
            throw Failure(Failure(error).message, .usage)
        }
    }
}
