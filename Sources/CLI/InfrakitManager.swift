internal import Glibc
internal import NIOCore
internal import Terminal

/// The program `infrakit-manager`.
@main
struct InfrakitManager {
    static func main() async {
        // A peer that closes early is an error of the write, not the end of this program.
        signal(SIGPIPE, SIG_IGN)
        // A write beyond the limit of a file's size is an error like that of a full disk, and no reason to end.
        signal(SIGXFSZ, SIG_IGN)
        // One event loop, so that what users ask and what plugins answer meet on one thread.
        NIOSingletons.groupLoopCountSuggestion = 1
        let session = Session.ofProcess()
        if let obstacle = ProcessStart.obstacle {
            session.standardError("infrakit-manager: \(obstacle)\n")
            exit(ExitStatus.failed.rawValue)
        }
        // Here, where there is no other thread yet: the guard gets a copy of this environment.
        ServiceEnvironment.unset()
        let status = await Program.run(ProcessStart.words, in: session)
        session.log.flush(within: .seconds(1))
        if status == .readerGone {
            // As any tool in a pipe, whose reader has seen enough.
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
        }
        exit(status.rawValue)
    }
}
