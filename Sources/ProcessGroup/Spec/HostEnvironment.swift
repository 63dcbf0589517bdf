import Glibc
internal import GroupSPI
internal import Platform

/// What this host offers to a specification: the plugin's own environment, and the programs on its disk.
struct HostEnvironment: Sendable {
    /// The variables that every process inherits.
    let variables: [Identifier: String]

    /// What a process inherits of the plugin's own environment: what says how this host is, and no secret. All else its
    /// specification names.
    static let inheritedNames: Set<Identifier> = [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR",
    ]

    static func isInherited(_ name: Identifier) -> Bool {
        inheritedNames.contains(name) || name.text.hasPrefix("LC_")
    }

    /// Of the environment that this process was started with. Read from `/proc`, because the C library's `environ` is a
    /// global variable that any thread may change under the reader.
    static func inherited() -> HostEnvironment { HostEnvironment(inheritedFrom: File.read("/proc/self/environ") ?? []) }

    /// - Parameter environment: `NAME=value`, each with a zero behind it.
    init(inheritedFrom environment: [UInt8]) {
        var variables: [Identifier: String] = [:]
        for entry in environment.split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")), equals > entry.startIndex else { continue }
            let name = Identifier(String(decoding: entry[..<equals], as: UTF8.self))
            guard Self.isInherited(name) else { continue }
            variables[name] = String(decoding: entry[entry.index(after: equals)...], as: UTF8.self)
        }
        self.variables = variables
    }

    init(variables: [Identifier: String]) { self.variables = variables }

    /// Finds out, before anything is started or changed, whether the specification can run here.
    ///
    /// - Throws: ``GroupError`` `rejected` with one sentence.
    func check(_ spec: ProcessGroupSpec) throws(GroupError) {
        do throws(SpecProblem) {
            _ = try program(of: spec)
        } catch {
            throw GroupError(.rejected, "Invalid properties of group '\(spec.id)': \(error.sentence)")
        }
    }

    /// The path of the program to execute. Looked up at every start: programs move when they are upgraded.
    func program(of spec: ProcessGroupSpec) throws(SpecProblem) -> String {
        if let directory = spec.directory, !isDirectory(directory) {
            throw SpecProblem("Instance.Properties.Directory '\(directory)' is not a directory on this host")
        }
        let name = spec.command.first ?? ""
        if name.utf8.contains(UInt8(ascii: "/")) {
            // A relative path starts at the Directory, since the process changes into it before it executes.
            let path = name.utf8.first == UInt8(ascii: "/") ? name : (spec.directory.map { $0 + "/" } ?? "") + name
            guard access(path, F_OK) == 0 else {
                throw SpecProblem("Command '\(name)' does not exist on this host")
            }
            guard isExecutable(path) else {
                throw SpecProblem("Command '\(name)' is not a file that may be executed")
            }
            return name
        }
        let path = spec.environment["PATH"] ?? variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        // An empty or relative entry depends on where the plugin happened to be started: left out.
        let candidates = path.utf8.split(separator: UInt8(ascii: ":")).filter { $0.first == UInt8(ascii: "/") }
            .map { "\(Substring($0))/\(name)" }
        if let found = candidates.first(where: isExecutable) { return found }
        if candidates.contains(where: { access($0, F_OK) == 0 && !isDirectory($0) }) {
            throw SpecProblem("Command '\(name)' was found in PATH, but it may not be executed")
        }
        throw SpecProblem("Command '\(name)' was not found in PATH (\(path)); give a program's name or full path")
    }

    private func isDirectory(_ path: String) -> Bool { mode(path).map { $0 & S_IFMT == S_IFDIR } ?? false }

    private func isExecutable(_ path: String) -> Bool {
        mode(path).map { $0 & S_IFMT == S_IFREG } ?? false && access(path, X_OK) == 0
    }

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : nil
    }
}
