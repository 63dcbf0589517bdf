internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager tag [<rev> <name>]`: names for revisions.
struct TagCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "tag",
        abstract: "Tag a revision, or list the tags",
        discussion: flowing(
            """
            A tag can be used wherever a revision number can. Retention never removes a tagged revision. A tag starts
            with a letter, followed by letters, digits, '.', '_' or '-'.

            Examples:
              infrakit-manager tag 12 before-upgrade
              infrakit-manager tag 15 before-upgrade --move
              infrakit-manager tag
            """
        )
    )

    @Argument(help: "Revision to tag, by number or another tag", completion: Completions.revisions)
    var revision: RevisionWord?

    @Argument(help: "Name of the tag")
    var name: Identifier?

    @Flag(help: "Move a tag that already names another revision")
    var move = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func validate() throws {
        if revision != nil, name == nil { throw ValidationError("give a revision and a name, or neither") }
        if let name, !Tag.isName(name.text) {
            throw ValidationError(
                "'\(name)' is not a valid tag: use a letter, then letters, digits, '.', '_' or '-'; at most 63 in all"
            )
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let store = store.open(in: session)
        guard let revision, let name else {
            let tags = try await store.tags(within: commandTimeout)
            try session.write(Self.table(tags).text(width: session.width), Self.json(tags), format.output)
            return .done
        }
        let number = try await revision.number(in: store)
        try await MarkedHistory(store: store, session: session).apply(.tag(name, revision: number, moving: move))
        try session.write(
            "tagged revision \(number) as \(name)\n",
            ["tag": .string(name), "revision": .int(number)],
            format.output
        )
        return .done
    }

    private static func table(_ tags: [Tag]) -> Table {
        Table(
            ["TAG", "REV", "TIME", "AUTHOR"],
            tags.map { [$0.name.text, "\($0.revision)", Timestamp(milliseconds: $0.time).local, $0.author.text] }
        )
    }

    private static func json(_ tags: [Tag]) -> JSON {
        .array(
            tags.map { tag in
                [
                    "tag": .string(tag.name), "revision": .int(tag.revision),
                    "time": .string(Timestamp(milliseconds: tag.time).rfc3339), "author": tag.author.json,
                ]
            }
        )
    }
}

/// `infrakit-manager untag <name>`.
struct UntagCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "untag",
        abstract: "Remove a tag",
        discussion: flowing(
            """
            The revision itself stays until retention removes it.

            Example: infrakit-manager untag before-upgrade
            """
        )
    )

    @Argument(help: "Tag to remove", completion: Completions.tags)
    var name: Identifier

    @OptionGroup var store: StoreOptions

    func run(in session: Session) async throws -> ExitStatus {
        try await MarkedHistory(store: store.open(in: session), session: session).apply(.untag(name))
        try session.standardOutput("removed tag \(name)\n")
        return .done
    }
}
