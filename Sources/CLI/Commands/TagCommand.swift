internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager tag [<rev> <name>]`: names for revisions.
struct TagCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "tag",
        abstract: "Give a revision a name, or list the names",
        discussion: flowing(
            """
            A tag can stand wherever a revision's number can, and keeps the revision from being removed by retention. It
            begins with a letter; letters, digits, '.', '_' and '-' follow.

            Examples:
              infrakit-manager tag 12 before-upgrade
              infrakit-manager tag 15 before-upgrade --move
              infrakit-manager tag
            """
        )
    )

    @Argument(help: "The revision, by number or another tag", completion: Completions.revisions)
    var revision: RevisionWord?

    @Argument(help: "Its new name")
    var name: Identifier?

    @Flag(help: "Move a name that stands for another revision")
    var move = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func validate() throws {
        if revision != nil, name == nil { throw ValidationError("a tag takes a revision and a name") }
        if let name, !Tag.isName(name.text) {
            throw ValidationError(
                "'\(name)' is no name for a tag: it begins with a letter, then letters, digits, '.', '_' or '-', at most 63"
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
            "\(name) is revision \(number)\n",
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
struct UntagCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "untag",
        abstract: "Remove a tag",
        discussion: flowing(
            """
            The revision stays, until retention removes it.

            Example: infrakit-manager untag before-upgrade
            """
        )
    )

    @Argument(help: "The tag", completion: Completions.tags)
    var name: Identifier

    @OptionGroup var store: StoreOptions

    func run(in session: Session) async throws -> ExitStatus {
        try await MarkedHistory(store: store.open(in: session), session: session).apply(.untag(name))
        try session.standardOutput("\(name) is no tag any more\n")
        return .done
    }
}
