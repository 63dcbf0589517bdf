internal import Glibc
internal import Terminal

/// The program `infrakit`: the Group interface of a manager or of a plugin, for people at a terminal.
@main
struct Infrakit {
    static func main() async {
        let session = Session.ofProcess()
        if let obstacle = ProcessStart.obstacle {
            session.standardError("infrakit: \(obstacle)\n")
            exit(1)
        }
        // A peer that closes early is an error of the write, not the end of this program.
        signal(SIGPIPE, SIG_IGN)
        let status = await Program.run(ProcessStart.words, in: session)
        if status == Program.readerGone {
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
        }
        exit(status)
    }
}
