internal import Glibc

/// The program `infrakit-manager`.
@main
struct InfrakitManager {
    static func main() async {
        // A peer that closes early is an error of the write, not the end of this program.
        signal(SIGPIPE, SIG_IGN)
        exit(await Program.run(Array(CommandLine.arguments.dropFirst()), in: .ofProcess()).rawValue)
    }
}
