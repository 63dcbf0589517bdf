internal import Glibc

/// The program `infrakit`: the Group interface of a manager or of a plugin, for people at a terminal.
@main
struct Infrakit {
    static func main() async {
        let session = Session.ofProcess()
        exit(await Program.run(Array(CommandLine.arguments.dropFirst()), in: session))
    }
}
