internal import GroupSPI

/// What a group's specification asks of this plugin, decoded and checked as far as the text alone allows.
///
/// What only the host can tell — is the command there, may it be executed — is ``HostEnvironment``'s to check.
struct ProcessGroupSpec: Sendable {
    /// As it was given; `inspect` shows it again byte for byte.
    let declared: GroupSpec
    let allocation: Allocation
    /// Never empty. A command that was given as one string is `/bin/sh -c …` here.
    let command: [String]
    let environment: [Identifier: String]
    /// An absolute path, or nil for the plugin's own directory.
    let directory: String?
    /// Names what runs, not how often: two specs of equal hash need no rolling update between them.
    let configSHA: String

    var id: Identifier { declared.id }

    init(
        declared: GroupSpec,
        allocation: Allocation,
        command: [String],
        environment: [Identifier: String],
        directory: String?
    ) {
        self.declared = declared
        self.allocation = allocation
        self.command = command
        self.environment = environment
        self.directory = directory
        self.configSHA = Self.hash(command: command, environment: environment, directory: directory)
    }

    /// Hashes what was understood rather than the text, so that white space, the order of keys or a changed flavor,
    /// which this plugin ignores, restart nobody's processes.
    private static func hash(command: [String], environment: [Identifier: String], directory: String?) -> String {
        let canonical: JSON = [
            "Command": .array(command.map { .string($0) }),
            "Environment": .object(
                environment.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
            ),
            "Directory": .string(directory),
        ]
        return Digest.hex(canonical.bytes, length: 20)
    }
}
