import Glibc
import GroupSPI
import Store
import Testing

/// What shells offer when somebody presses the tab key: the generated scripts, in the shells themselves.
@Suite struct CompletionTests {
    enum Shell: String, CaseIterable {
        case bash, zsh, fish

        var path: String? {
            ["/usr/bin", "/bin", "/usr/local/bin"].map { "\($0)/\(rawValue)" }.first(where: Files.exists)
        }
    }

    /// A command line up to the cursor, and what is offered there.
    struct Row: Sendable, CustomTestStringConvertible {
        let line: String
        var offers: [String]
        var lacks: [String] = []
        /// Nothing but these.
        var isAll = false
        /// Whether the environment names a store directory; it comes before the configuration file.
        var hasEnvironment = true

        var testDescription: String { "\(line)⇥" }
    }

    private static let verbs = [
        "os", "history", "show", "diff", "rollback", "commit", "confirm", "ack", "tag", "untag", "status", "leadership",
        "step-down", "doctor", "verify", "backup", "export", "import", "plugin", "version",
    ]

    private static let rows = [
        Row(line: "", offers: verbs, lacks: ["guard"]),
        Row(line: "st", offers: ["status", "step-down"], isAll: true),
        Row(line: "show ", offers: ["before", "1", "2", "3"], isAll: true),
        Row(line: "show b", offers: ["before"], isAll: true),
        Row(line: "diff before ", offers: ["before", "1", "2", "3"], isAll: true),
        Row(line: "rollback ", offers: ["before", "1", "2", "3"], isAll: true),
        Row(line: "confirm ", offers: ["before", "1", "2", "3"], isAll: true),
        Row(line: "untag ", offers: ["before"], isAll: true),
        Row(line: "export --revision ", offers: ["before", "1", "2", "3"], isAll: true),
        Row(line: "history --group ", offers: ["cattle", "pets"], isAll: true),
        Row(line: "show 1 --group p", offers: ["pets"], isAll: true),
        Row(line: "rollback 1 --group ", offers: ["cattle", "pets"], isAll: true),
        Row(line: "history --output ", offers: ["table", "json", "jsonl"], isAll: true),
        Row(line: "history --g", offers: ["--group"], isAll: true),
        Row(
            line: "rollback --",
            offers: ["--group", "--message", "--expect-current", "--dry-run", "--wait", "--store-dir"]
        ),
        // The database that the command line names, not the one of the environment.
        Row(line: "show --store-dir OTHER ", offers: ["other", "1", "2", "3"], isAll: true),
        Row(
            line: "show --config OTHER/config.yaml ",
            offers: ["other", "1", "2", "3"],
            isAll: true,
            hasEnvironment: false
        ),
        // Nothing to offer, and no error in the middle of the line.
        Row(line: "show --store-dir /nowhere ", offers: [], lacks: ["1", "before"]),
        Row(line: "show --config /nowhere/file ", offers: ["before", "1", "2", "3"], isAll: true),
    ]

    @Test(arguments: Shell.allCases, rows) func tabOffers(_ shell: Shell, _ row: Row) async throws {
        guard let path = shell.path, shell != .fish || Files.exists("/usr/bin/script") else {
            try Test.cancel("SKIPPED: completion in \(shell): it is not installed (apt-get install \(shell))")
        }
        try await World.with { world in
            let other = "\(world.path)/other"
            try Files.makeDirectory(other)
            try await MadeDatabase.make(in: world.storeDirectory)
            try await MadeDatabase.make(in: other)
            let store = Store.openForCommand(StoreConfiguration(path: StoreConfiguration.path(in: other)))
            try await store.removeTag("before", within: .seconds(60))
            let author = Author(user: "ann", uid: 1000, host: "h1")
            try await store.setTag("other", to: 1, author: author, moving: false, within: .seconds(60))
            try Files.write("store-dir: \(other)\n", to: "\(other)/config.yaml")

            let script = try await world.manager("--generate-completion-script", shell.rawValue)
            #expect(script.status == 0 && script.errors.isEmpty, "\(script)")
            try Files.write(script.output, to: "\(world.path)/_infrakit-manager")
            let line = "infrakit-manager " + row.line.replacing("OTHER", with: other)
            let (offered, errors) = try await complete(line, shell, path, world, hasEnvironment: row.hasEnvironment)
            #expect(errors.isEmpty, "\(shell): \(row.testDescription): \(errors)")
            for word in row.offers { #expect(offered.contains(word), "\(shell): \(row.testDescription): \(offered)") }
            for word in row.lacks { #expect(!offered.contains(word), "\(shell): \(row.testDescription): \(offered)") }
            if row.isAll { #expect(offered == Set(row.offers), "\(shell): \(row.testDescription)") }
        }
    }

    /// Ids that a shell would expand, carry out, split or quote, each with a beginning of its own.
    private static let hostile = [
        "a$(touch X)", "b`touch X`", "c d", "e:f", "g'h", "i;touch X", "j\"k", "l*", "m\\n", "o&p", "q>r", "s|t", "u#v",
        "w{1,2}x", "y(z)", "A/B", "C=D", "E!F", "G[h]", "I?", "K$HOME", "é ü",
    ]

    /// The tab key and then enter, at a terminal: the program gets the very id.
    @Test(arguments: Shell.allCases) func tabInsertsTheVeryId(_ shell: Shell) async throws {
        guard let path = shell.path, Files.exists("/usr/bin/script") else {
            try Test.cancel("SKIPPED: completion in \(shell): it is not installed (apt-get install \(shell))")
        }
        try await World.with { world in
            let unseen = ["\u{1B}[2J", "line\nfeed", ""]
            try await MadeDatabase.make(
                in: world.storeDirectory,
                groups: (Self.hostile + unseen).map { Identifier($0) }
            )
            let script = try await world.manager("--generate-completion-script", shell.rawValue)
            try Files.write(script.output, to: "\(world.path)/_infrakit-manager")
            // In the program's place: it completes as the program does, and else notes what it was given.
            let stub = """
                #!/bin/sh
                [ "$1" = ---completion ] && exec '\(try BuiltProgram.manager.path())' "$@"
                printf '%s\\0' "$4" >>'\(world.path)/given'
                """
            try Files.makeDirectory("\(world.path)/bin")
            try Files.write(stub, to: "\(world.path)/bin/infrakit-manager")
            #expect(chmod("\(world.path)/bin/infrakit-manager", 0o755) == 0)

            let typed =
                Self.hostile.map { "infrakit-manager show 1 --group \($0.prefix(1))\t\n" } + [
                    "infrakit-manager show 1 --group e:\t\n", "infrakit-manager show 1 --group 'c\t\n",
                    "infrakit-manager show 1 --group \"a\t\n", "infrakit-manager show 1 --group c\\ \t\n",
                ]
            let start =
                switch shell {
                case .zsh:
                    "PROMPT=; autoload -Uz compinit; compinit -u -D; source \(world.path)/_infrakit-manager; "
                        + "compdef _infrakit-manager infrakit-manager\n"
                case .bash, .fish: "source \(world.path)/_infrakit-manager\n"
                }
            // A shell that starts may drop what was typed before: each line is typed when the one before was carried out.
            let keys = "\(world.path)/keys"
            #expect(mkfifo(keys, 0o600) == 0)
            let keyboard = open(keys, O_RDWR | O_CLOEXEC)
            defer { close(keyboard) }
            func type(_ text: String) {
                _ = Array(text.utf8).withUnsafeBytes { write(keyboard, $0.baseAddress, $0.count) }
            }
            let options = [Shell.bash: "--norc --noprofile", .zsh: "-f -i", .fish: "--no-config -i"][shell] ?? ""
            let running = try RunningProgram(
                ["/usr/bin/script", "-qec", "\(path) \(options)", "/dev/null"],
                environment: [
                    "PATH": "\(world.path)/bin:/usr/bin:/bin", "HOME": world.path, "TERM": "dumb", "LC_ALL": "C.UTF-8",
                    "INFRAKIT_PLUGINS_DIR": "\(world.path)/none", "INFRAKIT_STORE_DIR": world.storeDirectory,
                ],
                input: keys,
                files: "\(world.path)/run-\(shell)"
            )
            // It may not read yet: typed again twice a second.
            var looks = 0
            try await eventually("the shell is ready") {
                if looks % 32 == 0 { type("cd \(world.path); touch ready\n") }
                looks += 1
                return Files.exists("\(world.path)/ready")
            }
            type(start)
            var given: [String] = []
            for (count, line) in typed.enumerated() {
                type(line)
                try await eventually("\(line) is carried out: \(running.output)") {
                    given = (Files.read("\(world.path)/given") ?? "").split(separator: "\0").map(String.init)
                    return given.count > count
                }
            }
            type("exit\n")
            _ = try await running.end()
            #expect(given == Self.hostile + ["e:f", "c d", "a$(touch X)", "c d"], "\(running.output)")
            #expect(!Files.exists("\(world.path)/X"), "what a group is called was carried out")
        }
    }

    // MARK: - The shells

    /// - Returns: what the shell offers at the end of the line, and what it wrote beside that.
    private func complete(
        _ line: String,
        _ shell: Shell,
        _ path: String,
        _ world: World,
        hasEnvironment: Bool
    ) async throws -> (offered: Set<String>, errors: String) {
        let program = "\(world.path)/complete.\(shell)"
        try Files.write(Self.driver(shell), to: program)
        let files = "\(world.path)/run-\(shell)"
        let directory = String(try BuiltProgram.manager.path().dropLast("/infrakit-manager".count))
        var environment = [
            "PATH": "\(directory):/usr/bin:/bin", "HOME": world.path, "TERM": "dumb", "LC_ALL": "C.UTF-8",
            "INFRAKIT_PLUGINS_DIR": "\(world.path)/none", "SCRIPT": "\(world.path)/_infrakit-manager",
            "WORLD": world.path, "LINE": line,
        ]
        if hasEnvironment { environment["INFRAKIT_STORE_DIR"] = world.storeDirectory }
        let words =
            switch shell {
            case .bash: [path, "--norc", program]
            case .zsh: [path, "-f", program]
            // Only an interactive one knows where the cursor is.
            case .fish: ["/usr/bin/script", "-qec", "\(path) --no-config -i -C 'source \(program)'", "/dev/null"]
            }
        // What is typed: the tab key.
        try Files.write("\t", to: "\(files).in")
        let running = try RunningProgram(words, environment: environment, input: "\(files).in", files: files)
        let ending = try await running.end()
        #expect(ending == .exit(0), "\(shell): \(running.errors)\n\(running.output)")
        let lines = (Files.read("\(world.path)/offered") ?? "").split(separator: "\n").map { line in
            // fish tells a description behind a tabulator.
            String(line.split(separator: "\t").first ?? "").trimmed
        }
        let errors = running.errors + (Files.read("\(world.path)/errors") ?? "")
        return (Set(lines.filter { !$0.isEmpty }), errors)
    }

    private static func driver(_ shell: Shell) -> String {
        switch shell {
        case .fish:
            #"""
            source $SCRIPT
            function offer
                commandline -r -- $LINE
                complete -C >$WORLD/offered 2>$WORLD/errors
                exec true
            end
            bind \t offer
            """#
        // As readline calls the function (bash(1), Programmable Completion).
        case .bash:
            #"""
            source "$SCRIPT"
            COMP_LINE="$LINE"; COMP_POINT=${#LINE}; COMP_TYPE=9; COMP_KEY=9
            read -ra COMP_WORDS <<<"$LINE"
            [[ $LINE == *' ' ]] && COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            function=$(complete -p infrakit-manager | sed 's/.*-F \([^ ]*\) .*/\1/')
            "$function" infrakit-manager "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\n' "${COMPREPLY[@]}" >"$WORLD/offered"
            """#
        // An interactive shell behind a pseudo terminal, whose `compadd` writes to a file what it would show.
        case .zsh:
            #"""
            zmodload zsh/zpty
            cat >$WORLD/zshrc <<'EOF'
            PROMPT=
            autoload -Uz compinit
            compinit -u -D
            source $SCRIPT
            compdef _infrakit-manager infrakit-manager
            bindkey '^I' complete-word
            zstyle ':completion:*' insert-tab false
            compadd() {
                if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
                    builtin compadd "$@"
                    return
                fi
                local -a hits
                builtin compadd -A hits "$@"
                (( $#hits )) && print -rl -- $hits >>$WORLD/offered
                builtin compadd "$@"
            }
            finish() { exit 0 }
            comppostfuncs=(finish)
            print READY
            EOF
            zpty shell "zsh -f -i 2>$WORLD/errors"
            zpty -w shell "source $WORLD/zshrc"
            while zpty -r shell text; do [[ $text == READY* ]] && break; done
            zpty -w -n shell "$LINE"$'\t'
            while zpty -r shell; do :; done >/dev/null
            """#
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "\r" }.reversed())
    }
}
